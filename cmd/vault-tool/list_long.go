package main

import (
	"bytes"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/vaultfile"
)

// listedSecret is a secret with the version of its present value.
type listedSecret struct {
	Name       string                  `json:"name"`
	Version    uint64                  `json:"version"`
	Changed    *string                 `json:"changed"`     // null where it is not known
	AgeSeconds *int64                  `json:"age_seconds"` // likewise; the least it can be where the origin is not ""
	Who        string                  `json:"who"`
	Command    string                  `json:"command"`
	Origin     vaultfile.VersionOrigin `json:"origin"`

	age time.Duration
}

// secretList is an object, so that there is room for fields beside the secrets.
type secretList struct {
	Secrets []listedSecret `json:"secrets"`
}

// runListLong lists secrets with the age of their values, those that are old enough.
func (a *app) runListLong(ctx context.Context, o listOptions, globs []string) error {
	var least time.Duration
	if o.olderThan != "" {
		var err error
		if least, err = parseAge("--older-than", o.olderThan); err != nil {
			return err
		}
	}
	s := selection.Selection{Only: globs}
	return a.withHistory(ctx, func(v *vaultfile.Vault) error {
		names := a.scope.Of(v).Names()
		if missing, _ := s.Unmatched(names); len(missing) > 0 {
			return a.noSuchName(names, missing[0].Glob)
		}
		listed := []listedSecret{}
		var ageless []string
		for _, name := range s.Names(names) {
			secret, err := a.listSecret(v, name, time.Now())
			switch {
			case err != nil || o.olderThan != "" && secret.AgeSeconds == nil:
				ageless = append(ageless, name)
				if o.olderThan == "" {
					listed = append(listed, listedSecret{Name: name})
				}
			case secret.age >= least:
				listed = append(listed, secret)
			case secret.Origin != vaultfile.OriginWritten: // it is older than that, and nobody knows by how much
				ageless = append(ageless, name)
			}
		}
		if len(ageless) > 0 {
			a.note("the history does not have the age of: %s", shortList(ageless))
		}
		return a.printListed(o, listed)
	})
}

// listSecret looks a secret of the scope up, or the one without a scope that it inherits.
func (a *app) listSecret(v *vaultfile.Vault, name string, now time.Time) (listedSecret, error) {
	full := a.scope.Name(name)
	if !v.Has(full) {
		full = name
	}
	h, err := v.History(full)
	if err != nil {
		return listedSecret{}, err
	}
	last := h.Last()
	s := listedSecret{Name: name, Version: last.Number, Changed: timeJSON(last.Time), Who: last.Who, Command: last.Command, Origin: last.Origin}
	if last.Origin != vaultfile.OriginWritten { // who noticed it did not write it
		s.Who, s.Command = "", ""
	}
	if !last.Time.IsZero() {
		s.age = max(now.Sub(last.Time), 0)
		seconds := int64(s.age / time.Second)
		s.AgeSeconds = &seconds
	}
	return s, nil
}

func (a *app) printListed(o listOptions, listed []listedSecret) error {
	switch {
	case a.json:
		return a.printJSON(secretList{listed})
	case !o.long:
		names := make([]string, len(listed))
		for i, s := range listed {
			names[i] = s.Name
		}
		return a.printLines(names)
	}
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "NAME\tVERSION\tAGE\tWHO\n")
	for _, s := range listed {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", s.Name, s.Version, s.shownAge(), printable(dash(s.Who)))
	}
	_ = table.Flush() // to memory
	return a.print(out.Bytes())
}

// shownAge is the age of the value, as far as it is known.
func (s listedSecret) shownAge() string {
	switch {
	case s.AgeSeconds == nil:
		return "-"
	case s.Origin != vaultfile.OriginWritten:
		return "over " + shownAge(s.age)
	}
	return shownAge(s.age)
}

// shownAge is in the largest unit that there is one of.
func shownAge(age time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case age >= day:
		return fmt.Sprint(int(age/day)) + "d"
	case age >= time.Hour:
		return fmt.Sprint(int(age/time.Hour)) + "h"
	case age >= time.Minute:
		return fmt.Sprint(int(age/time.Minute)) + "m"
	}
	return fmt.Sprint(int(age/time.Second)) + "s"
}
