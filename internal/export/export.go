// Package export writes secrets in the form that another program reads, each value so that this program gets exactly its bytes. What a
// form cannot carry is a problem that is told before anything is written.
//
// Nothing is copied to the heap: what is written goes from the memory of the values to the memory that the caller gives.
package export

import (
	"crypto/rand"
)

// Secret is one secret to be written.
type Secret struct {
	Name  string
	Value []byte
}

// Format is a form for a program.
type Format struct {
	Name string

	// Variables tells that the names become those of environment variables.
	Variables bool

	// Problem says why the form cannot carry a secret, or "".
	Problem func(name string, value []byte) string

	// write writes all secrets, which have no problem.
	write func(w *writer, secrets []Secret, o Options)
}

// Options are what some forms need to know. The zero value is ready to use.
type Options struct {
	// SecretName is metadata.name of a Kubernetes Secret.
	SecretName string

	// Masks and Lines choose what of the form for GitHub is written: the commands that hide the values in its logs, or the lines
	// for its environment file, or both.
	Masks, Lines bool

	mark string // drawn once, so that both passes write the same
}

// formats are all forms, in the order in which help lists them.
func formats() []Format {
	return []Format{
		{"dotenv", true, dotenvProblem, writeDotenv},
		{"json", false, noProblem, writeJSON},
		{"sh", true, variableProblem, writeShell},
		{"docker-env", true, dockerProblem, writeDocker},
		{"systemd", true, variableProblem, writeSystemd},
		{"k8s-secret", false, kubernetesProblem, writeKubernetes},
		{"github-env", true, githubProblem, writeGitHub},
	}
}

// Names are the names of all forms.
func Names() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.Name)
	}
	return names
}

// Lookup returns the form of that name.
func Lookup(name string) (Format, bool) {
	for _, f := range formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Text is secrets in a form, to be written to memory of exactly its size.
type Text struct {
	format  Format
	secrets []Secret
	options Options
	size    int
}

// Text prepares secrets, which have no problem and stay as they are until it is written.
func (f Format) Text(secrets []Secret, o Options) *Text {
	o.mark = rand.Text()
	t := &Text{format: f, secrets: secrets, options: o}
	counter := &writer{counts: true}
	f.write(counter, secrets, o)
	t.size = counter.size
	return t
}

// Len is the length of what Append appends.
func (t *Text) Len() int { return t.size }

// Append appends the text. It allocates nothing where dst has room for Len more bytes.
func (t *Text) Append(dst []byte) []byte {
	w := &writer{dst: dst}
	t.format.write(w, t.secrets, t.options)
	return w.dst
}

// writer appends, or only counts.
type writer struct {
	dst    []byte
	size   int
	counts bool
}

func (w *writer) bytes(b []byte) {
	if w.counts {
		w.size += len(b)
		return
	}
	w.dst = append(w.dst, b...)
}

func (w *writer) text(s string) {
	if w.counts {
		w.size += len(s)
		return
	}
	w.dst = append(w.dst, s...)
}

// escaped writes value with what escape gives in the place of a byte; "" stands for the byte itself.
func (w *writer) escaped(value []byte, escape func(c byte) string) {
	from := 0
	for i, c := range value {
		if replacement := escape(c); replacement != "" {
			w.bytes(value[from:i])
			w.text(replacement)
			from = i + 1
		}
	}
	w.bytes(value[from:])
}

func noProblem(string, []byte) string { return "" }
