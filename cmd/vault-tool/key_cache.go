package main

import (
	"time"

	"github.com/mazevault/vault-tool/internal/keycache"
	"github.com/mazevault/vault-tool/vaultfile"
)

// keyCacheEnv is the time to live of --key-cache where that is not given.
const keyCacheEnv = "VAULT_TOOL_KEY_CACHE"

// openKeyCache sets up the cache of derived keys, if it is asked for.
func (a *app) openKeyCache() error {
	ttl := a.keyCacheTTL
	if text := a.getenv(keyCacheEnv); ttl == 0 && text != "" {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			return badInput("give a duration, such as 10m, or unset it", "%s is not a duration", keyCacheEnv)
		}
	}
	if ttl == 0 {
		return nil
	}
	cache, err := keycache.New(ttl)
	if err != nil {
		return badInput("give a duration, such as 10m", "--key-cache, %s: %w", keyCacheEnv, err)
	}
	a.keyCache = cache
	return nil
}

// newUnlocker returns an unlocker that uses the cache of derived keys, if there is one.
func (a *app) newUnlocker(source vaultfile.PassphraseSource) *vaultfile.Unlocker {
	if a.keyCache == nil {
		return vaultfile.NewUnlocker(source)
	}
	return vaultfile.NewUnlocker(source, vaultfile.WithKeyCache(a.keyCache))
}

// noteKeyCache says under --verbose why the cache was of no use.
func (a *app) noteKeyCache() {
	if a.keyCache == nil {
		return
	}
	if err := a.keyCache.Problem(); err != nil {
		a.verboseNote("no key is cached: %v", err)
	}
}
