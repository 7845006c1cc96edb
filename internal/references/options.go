package references

import (
	"strings"
)

// option is an option of a scheme with a value of its own.
type option struct {
	name  string
	valid form
	field func(*Ref) *string
}

// schemeRules are what is particular to a scheme.
type schemeRules struct {
	path    form     // nil: checked by its parts
	options []option // in the order of their names
	binary  bool     // a secret's content may be any bytes
}

// An option that all schemes have whose stores hold bytes. It comes first.
const (
	encodingOption = "encoding"
	base64Encoding = "base64"
)

func version(r *Ref) *string   { return &r.Version }
func stage(r *Ref) *string     { return &r.Stage }
func region(r *Ref) *string    { return &r.Region }
func project(r *Ref) *string   { return &r.Project }
func namespace(r *Ref) *string { return &r.Namespace }

// rules has what each store's documentation allows.
var rules = map[Scheme]schemeRules{
	AWS: {
		path: newForm(`^(?:[A-Za-z0-9/_+=.@-]{1,512}|` + arnPattern + `)$`),
		options: []option{
			{"region", regionForm, region},
			{"stage", newForm(`^[A-Za-z0-9_.+=@-]{1,256}$`), stage},
			{"version", newForm(`^[A-Za-z0-9-]{32,64}$`), version},
		},
		binary: true,
	},
	Azure: {
		path:    newForm(`^[0-9A-Za-z-]{1,127}$`),
		options: []option{{"version", newForm(`^[0-9a-f]{32}$`), version}},
		binary:  true,
	},
	GCP: {
		path: newForm(`^[A-Za-z0-9_-]{1,255}$`),
		options: []option{
			{"project", projectForm, project},
			{"version", newForm(`^(?:[1-9][0-9]{0,18}|[A-Za-z][A-Za-z0-9_-]{0,62})$`), version},
		},
		binary: true,
	},
	Vault: {
		options: []option{
			{"namespace", newForm(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*/?$`), namespace},
			{"version", newForm(`^[1-9][0-9]{0,9}$`), version},
		},
	},
}

// The forms that connections have, too.
var (
	regionForm  = newForm(`^[a-z]{2,}(?:-[a-z0-9]+)+$`)
	projectForm = newForm(`^[a-z0-9][a-z0-9:.-]{0,62}$`)
)

// ValidRegion tells whether AWS may have a region of that name.
func ValidRegion(name string) bool { return regionForm.matches(name) }

// ValidProject tells whether GCP may have a project of that id or number.
func ValidProject(id string) bool { return projectForm.matches(id) }

func (s Scheme) known() bool {
	_, ok := rules[s]
	return ok
}

func (s Scheme) options() []option { return rules[s].options }

// optionNames are the names of the scheme's options, for errors.
func (s Scheme) optionNames() string {
	var names []string
	if rules[s].binary {
		names = append(names, encodingOption)
	}
	for _, o := range s.options() {
		names = append(names, o.name)
	}
	return strings.Join(names, ", ")
}

func (r *Ref) setOptions(query string) error {
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if seen[name] {
			return bad("an option is given twice")
		}
		seen[name] = true
		value, err := unescape(value)
		if err != nil {
			return bad("an option: %v", err)
		}
		if err := r.setOption(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ref) setOption(name, value string) error {
	if name == encodingOption && rules[r.Scheme].binary {
		r.Base64 = value == base64Encoding
		if !r.Base64 {
			return bad("encoding can only be base64")
		}
		return nil
	}
	for _, o := range r.Scheme.options() {
		if o.name != name {
			continue
		}
		field := o.field(r)
		switch {
		case !o.valid.matches(value):
			return bad("%s has a value that it cannot have", name)
		case *field != "" && *field != value:
			return bad("%s is another one than the path's", name)
		}
		*field = value
		r.simplify()
		return nil
	}
	return bad("an option that there is not; %s:// has %s", r.Scheme, r.Scheme.optionNames())
}

// simplify leaves out what is so in any case.
func (r *Ref) simplify() {
	if r.Scheme == GCP && r.Version == latest {
		r.Version = ""
	}
	r.Namespace = strings.TrimSuffix(r.Namespace, "/")
}
