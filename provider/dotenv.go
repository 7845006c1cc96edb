package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/joho/godotenv"
)

// defaultDotenv is the file that godotenv.Load reads by default.
const defaultDotenv = ".env"

// maxLocatedBytes bounds the .env files in which a fault is searched for: the search takes time that
// grows with the square of the length.
const maxLocatedBytes = 64 << 10

// loadDotenv sets what the files define and lookup does not find. Nothing of godotenv's errors is passed
// on, for they quote the file.
func loadDotenv(paths []string, optional bool, lookup func(string) (string, bool), set func(name, value string) error) error {
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDotenv, err)
		}
		err = applyDotenv(content, lookup, set)
		clear(content)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDotenv, path, err)
		}
	}
	return nil
}

func applyDotenv(content []byte, lookup func(string) (string, bool), set func(name, value string) error) error {
	values, err := parseDotenv(content)
	if err != nil {
		return dotenvFault(content)
	}
	for name, value := range values {
		if _, ok := lookup(name); ok || name == "" { // godotenv makes an empty name of some broken last lines
			continue
		}
		if set(name, value) != nil {
			return fmt.Errorf("the value of a variable cannot be set (a NUL in it, or a name that is none)")
		}
	}
	return nil
}

var errUnparsable = errors.New("unparsable")

// parseDotenv is godotenv's parser without its error texts, and without a panic.
func parseDotenv(content []byte) (values map[string]string, err error) {
	defer func() {
		if recover() != nil {
			err = errUnparsable
		}
	}()
	values, err = godotenv.UnmarshalBytes(content)
	if err != nil {
		return nil, errUnparsable
	}
	return values, nil
}

// dotenvFault says where content stops being a .env file: behind the longest run of whole lines, from the
// first on, that is one.
func dotenvFault(content []byte) error {
	if len(content) > maxLocatedBytes {
		return errors.New("it is not in the form NAME=value that godotenv reads")
	}
	for end := len(content); end > 0; {
		end = bytes.LastIndexByte(content[:end-1], '\n') + 1
		if _, err := parseDotenv(content[:end]); err == nil {
			line := bytes.Count(content[:end], []byte{'\n'}) + 1
			return fmt.Errorf("line %d is not in the form NAME=value that godotenv reads", line)
		}
	}
	return errors.New("line 1 is not in the form NAME=value that godotenv reads")
}
