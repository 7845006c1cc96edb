package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/mazevault/vault-tool/internal/keycache"
	"github.com/mazevault/vault-tool/vaultfile"
)

// keyCacheEnv is the time to live of --key-cache where that is not given.
const keyCacheEnv = "VAULT_TOOL_KEY_CACHE"

// keyCacheFlag is the flag for it.
const keyCacheFlag = "key-cache"

// openKeyCache sets up the cache of derived keys, if it is asked for. Zero turns it off.
func (a *app) openKeyCache(flags *pflag.FlagSet) error {
	ttl, from := a.keyCacheTTL, "--"+keyCacheFlag
	if text := a.getenv(keyCacheEnv); text != "" && !flags.Changed(keyCacheFlag) {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			return badInput("give a duration, such as 10m, or unset it", "%s is not a duration", keyCacheEnv)
		}
		from = keyCacheEnv
	}
	if ttl == 0 {
		return nil
	}
	cache, err := keycache.New(ttl)
	if err != nil {
		return badInput("give a duration, such as 10m, or 0 for no cache", "%s: %w", from, err)
	}
	a.keyCache = cache
	return nil
}

// newUnlocker returns an unlocker that uses the cache of derived keys, if there is one. From the start of
// a derivation, which takes a while, a signal cancels the command.
func (a *app) newUnlocker(source vaultfile.PassphraseSource) *vaultfile.Unlocker {
	report := vaultfile.WithSuccessorReport(a.tellSuccessor)
	if a.keyCache == nil {
		a.interrupts.catch()
		return vaultfile.NewUnlocker(source, report, vaultfile.WithKeyCache(keycache.Forgetter{})) // a rotation ends what others cached
	}
	return vaultfile.NewUnlocker(source, report, vaultfile.WithKeyCache(interruptibleCache{a.keyCache, a.interrupts}))
}

// interruptibleCache begins to catch signals when a key has to be derived.
type interruptibleCache struct {
	*keycache.Cache
	interrupts *interrupts
}

func (c interruptibleCache) Load(key, passphrase, salt []byte) bool {
	found := c.Cache.Load(key, passphrase, salt)
	if !found {
		c.interrupts.catch()
	}
	return found
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
