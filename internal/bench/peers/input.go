package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func secretName(i int) string { return fmt.Sprintf("SECRET_%06d", i) }

// writeInput puts n secrets into the directory, in the forms that peers read.
func writeInput(dir string, n int) error {
	values := make([]string, n)
	for i := range values {
		values[i] = rand.Text() + rand.Text()
	}
	for name, write := range map[string]func(w io.Writer){
		"secrets.json": func(w io.Writer) {
			fmt.Fprint(w, "{")
			for i, value := range values {
				if i > 0 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, "\n%q: %q", secretName(i), value)
			}
			fmt.Fprint(w, "\n}\n")
		},
		"secrets.env": func(w io.Writer) {
			for i, value := range values {
				fmt.Fprintf(w, "%s=%s\n", secretName(i), value)
			}
		},
		"secrets.xml": func(w io.Writer) {
			fmt.Fprint(w, `<KeePassFile><Meta/><Root><Group><Name>Root</Name>`)
			for i, value := range values {
				fmt.Fprintf(w, `<Entry><String><Key>Title</Key><Value>%s</Value></String><String><Key>Password</Key><Value>%s</Value></String></Entry>`,
					secretName(i), value)
			}
			fmt.Fprint(w, `</Group></Root></KeePassFile>`)
		},
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(w io.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := w.Flush(); err != nil {
		_ = f.Close() // the first error counts
		return err
	}
	return f.Close()
}
