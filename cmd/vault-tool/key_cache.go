package main

import (
	"strings"
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
	a.sayWhatIsUsed()
	options := []vaultfile.UnlockerOption{vaultfile.WithSuccessorReport(a.tellSuccessor)}
	if a.deriver != nil {
		options = append(options, vaultfile.WithDeriver(a.deriver))
	}
	if a.keyCache == nil {
		a.interrupts.catch()
		options = append(options, vaultfile.WithKeyCache(keycache.Forgetter{})) // a rotation ends what others cached
	} else {
		options = append(options, vaultfile.WithKeyCache(interruptibleCache{a.keyCache, a.interrupts, a.verboseNote}))
	}
	return vaultfile.NewUnlocker(source, options...)
}

// sayWhatIsUsed says under --verbose, once, which vault and key are used, and who chose them.
func (a *app) sayWhatIsUsed() {
	if a.derives {
		return
	}
	a.derives = true
	chosenBy := func(flag, flagName, env string) string {
		switch {
		case flag != "":
			return "given by --" + flagName
		case a.getenv(env) != "":
			return "given by " + env
		}
		return "the default"
	}
	a.verboseNote("the vault is %s (%s)", a.vaultPath(), chosenBy(a.vaultFlag, "vault-file", vaultFileEnv))
	if a.azureURL() != "" {
		a.verboseNote("the key is %s (given by %s)", a.keyName(), strings.TrimPrefix(chosenBy(a.azure.url, "akv-url", azureURLEnv), "given by "))
	} else {
		a.verboseNote("the key is %s (%s)", a.keyPath(), chosenBy(a.keyFlag, "key-file", keyFileEnv))
	}
	if a.keyCache == nil {
		a.verboseNote("derived keys are not cached (--%s, %s)", keyCacheFlag, keyCacheEnv)
	}
}

// interruptibleCache begins to catch signals when a key has to be derived.
type interruptibleCache struct {
	*keycache.Cache
	interrupts *interrupts
	say        func(format string, args ...any)
}

func (c interruptibleCache) Load(key, passphrase, salt []byte) bool {
	found := c.Cache.Load(key, passphrase, salt)
	if found {
		c.say("the derived key comes from the cache")
	} else {
		c.interrupts.catch()
		c.say("the cache does not have the derived key")
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
