package export

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/envname"
	"github.com/mazevault/vault-tool/internal/jsontext"
)

// Problems that several forms have.
const (
	notAVariable = "its name is not one of an environment variable"
	hasNUL       = "its value has a NUL, which no environment variable can hold"
)

func variableProblem(name string, value []byte) string {
	switch {
	case !envname.Valid(name):
		return notAVariable
	case bytes.IndexByte(value, 0) >= 0:
		return hasNUL
	}
	return ""
}

func dotenvProblem(name string, value []byte) string {
	if _, ok := dotenv.PortableLen(name, value); !ok {
		return "no dotenv line is read the same by godotenv, docker compose and npm's dotenv for its name or value"
	}
	return ""
}

func writeDotenv(w *writer, secrets []Secret, _ Options) {
	for _, s := range secrets {
		if w.counts {
			n, _ := dotenv.PortableLen(s.Name, s.Value)
			w.size += n
			continue
		}
		w.dst, _ = dotenv.AppendPortable(w.dst, s.Name, s.Value)
	}
}

func writeJSON(w *writer, secrets []Secret, _ Options) {
	w.text("{")
	for i, s := range secrets {
		if i > 0 {
			w.text(",")
		}
		w.text("\n  ")
		w.json([]byte(s.Name))
		w.text(":")
		w.json(s.Value)
	}
	if len(secrets) > 0 {
		w.text("\n")
	}
	w.text("}\n")
}

func (w *writer) json(s []byte) {
	if w.counts {
		w.size += jsontext.StringLen(s)
		return
	}
	w.dst = jsontext.AppendString(w.dst, s)
}

// writeShell quotes as POSIX has it (Shell Command Language, 2.2.2): nothing is special in single quotes but their end.
func writeShell(w *writer, secrets []Secret, _ Options) {
	for _, s := range secrets {
		w.text("export ")
		w.text(s.Name)
		w.text("='")
		w.escaped(s.Value, func(c byte) string {
			if c == '\'' {
				return `'\''`
			}
			return ""
		})
		w.text("'\n")
	}
}

// dockerLineBytes is how long a line may be that docker reads, its end included (bufio.MaxScanTokenSize).
const dockerLineBytes = 64 << 10

// dockerProblem knows the rules of docker run --env-file: a line is NAME=value without any quotes or escapes.
func dockerProblem(name string, value []byte) string {
	problem := variableProblem(name, value)
	switch {
	case problem != "":
		return problem
	case bytes.IndexByte(value, '\n') >= 0:
		return "its value has several lines, which docker --env-file cannot hold"
	case bytes.HasSuffix(value, []byte{'\r'}):
		return "its value ends with a carriage return, which docker takes for a part of the line's end"
	case len(name)+len("=")+len(value)+len("\n") >= dockerLineBytes:
		return "its line would be longer than the 64 KiB that docker reads"
	}
	return ""
}

func writeDocker(w *writer, secrets []Secret, _ Options) {
	for _, s := range secrets {
		w.text(s.Name)
		w.text("=")
		w.bytes(s.Value)
		w.text("\n")
	}
}

// writeSystemd writes an EnvironmentFile (systemd.exec(5)): in double quotes a backslash stands before what would be special, and newlines
// stand for themselves.
func writeSystemd(w *writer, secrets []Secret, _ Options) {
	for _, s := range secrets {
		w.text(s.Name)
		w.text(`="`)
		w.escaped(s.Value, func(c byte) string {
			switch c {
			case '"':
				return `\"`
			case '\\':
				return `\\`
			case '$':
				return `\$`
			case '`':
				return "\\`"
			}
			return ""
		})
		w.text("\"\n")
	}
}

const (
	kubernetesKeyBytes  = 253     // of a key of a Secret's data
	kubernetesDataBytes = 1 << 20 // of all values of a Secret
)

func kubernetesProblem(name string, value []byte) string {
	switch {
	case strings.Contains(name, "/"):
		return "its name has a '/', which no key of a Kubernetes Secret can have"
	case len(name) > kubernetesKeyBytes:
		return fmt.Sprintf("its name is longer than the %d bytes of a key of a Kubernetes Secret", kubernetesKeyBytes)
	case len(value) > kubernetesDataBytes:
		return "its value is larger than the 1 MiB of a Kubernetes Secret"
	}
	return ""
}

// writeKubernetes writes a Secret. Base64 carries every value, and a key in quotes is a string whatever it looks like.
func writeKubernetes(w *writer, secrets []Secret, o Options) {
	w.text("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ")
	w.json([]byte(o.SecretName))
	w.text("\ntype: Opaque\ndata:")
	if len(secrets) == 0 {
		w.text(" {}")
	}
	w.text("\n")
	for _, s := range secrets {
		w.text("  ")
		w.json([]byte(s.Name))
		w.text(`: "`)
		if w.counts {
			w.size += base64.StdEncoding.EncodedLen(len(s.Value))
		} else {
			w.dst = base64.StdEncoding.AppendEncode(w.dst, s.Value)
		}
		w.text("\"\n")
	}
}

func githubProblem(name string, value []byte) string {
	if strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "RUNNER_") {
		return "its name is one of GitHub's own variables, which cannot be set"
	}
	return variableProblem(name, value)
}

// writeGitHub writes the workflow commands that hide values in logs, and then the lines for the file that GITHUB_ENV names. A value stands
// between two lines with a mark that is drawn at random.
func writeGitHub(w *writer, secrets []Secret, o Options) {
	if o.Masks {
		for _, s := range secrets {
			for line := range bytes.SplitSeq(s.Value, []byte{'\n'}) { // logs are searched line by line
				if line = bytes.TrimSuffix(line, []byte{'\r'}); len(line) == 0 {
					continue
				}
				w.text("::add-mask::")
				w.escaped(line, escapeCommand)
				w.text("\n")
			}
		}
	}
	if !o.Lines {
		return
	}
	for _, s := range secrets {
		w.text(s.Name)
		w.text("<<" + o.mark + "\n")
		w.bytes(s.Value)
		w.text("\n" + o.mark + "\n")
	}
}

// escapeCommand escapes what is special in the data of a workflow command.
func escapeCommand(c byte) string {
	switch c {
	case '%':
		return "%25"
	case '\r':
		return "%0D"
	case '\n':
		return "%0A"
	}
	return ""
}
