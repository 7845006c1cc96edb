package gitrepo

import (
	"context"
	"strings"
)

// Exit codes of git config.
const (
	exitNoSuchKey = 1
	exitNotThere  = 5 // of --unset
)

// Setting returns the value that git uses for a key, wherever it is set; "" where it is not.
func (r *Repo) Setting(ctx context.Context, key string) (string, error) {
	return r.config(ctx, "--get", key)
}

// OwnSetting returns the value that the repository itself has for a key.
func (r *Repo) OwnSetting(ctx context.Context, key string) (string, error) {
	return r.config(ctx, "--local", "--get", key)
}

func (r *Repo) config(ctx context.Context, args ...string) (string, error) {
	out, err := r.run(ctx, append([]string{"config"}, args...)...)
	if exitCode(err) == exitNoSuchKey {
		return "", nil
	}
	return strings.TrimSuffix(out, "\n"), err
}

// Set gives the repository settings. It tells whether any was another one.
func (r *Repo) Set(ctx context.Context, settings [][2]string) (changed bool, err error) {
	for _, s := range settings {
		now, err := r.OwnSetting(ctx, s[0])
		if err != nil {
			return changed, err
		}
		if now == s[1] {
			continue
		}
		if _, err := r.run(ctx, "config", "--local", "--replace-all", s[0], s[1]); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// Unset takes settings away from the repository. It tells whether any was there.
func (r *Repo) Unset(ctx context.Context, keys ...string) (changed bool, err error) {
	for _, key := range keys {
		_, err := r.run(ctx, "config", "--local", "--unset-all", key)
		switch {
		case err == nil:
			changed = true
		case exitCode(err) != exitNotThere:
			return changed, err
		}
	}
	return changed, nil
}
