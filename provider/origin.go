package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// origin is where snapshots come from. Its methods are called one at a time.
type origin interface {
	// refresh returns the vault if it is not the one that refresh returned before, else nil. Both a
	// vault and an error mean that the vault is good and something else is not. thorough makes it look
	// at all there is, not only at what has changed.
	refresh(ctx context.Context, thorough bool) (*vaultfile.Vault, error)

	// refuse makes the next refresh return the vault that was returned last once more: it has not been put into service.
	refuse()

	// warning is what an operator should know of how the last refresh went, nil for nothing.
	warning() error

	// standing is what an operator should know as long as the vault in service is opened as it is, nil for nothing.
	standing() error

	// files are the paths whose replacement calls for a refresh.
	files() []string

	// close gives up what opens the vault.
	close() error
}

// loadOrigin is the origin of a [Config].Load.
type loadOrigin func(context.Context) (*vaultfile.Vault, error)

func (load loadOrigin) refresh(ctx context.Context, _ bool) (*vaultfile.Vault, error) {
	v, err := load(ctx)
	if err == nil && v == nil {
		err = errors.New("provider: Config.Load returned no vault")
	}
	return v, err
}

func (loadOrigin) refuse()         {} // it returns a vault every time
func (loadOrigin) warning() error  { return nil }
func (loadOrigin) standing() error { return nil }
func (loadOrigin) files() []string { return nil }
func (loadOrigin) close() error    { return nil }

// fileOrigin is a vault file and what supplies its key.
type fileOrigin struct {
	path        string
	keyPath     string // "" where the key is in no file that could be watched
	source      *measuredSource
	unlocker    *vaultfile.Unlocker // of the vault in service
	closeSource func() error        // nil where the source is the caller's
	options     []vaultfile.UnlockerOption

	next    *vaultfile.Unlocker // of the vault nextFor, which has not opened yet; nil for none
	nextFor vaultfile.Identity

	opened   bool               // the unlocker has opened a vault
	refused  bool               // the vault that was returned last is not in service
	identity vaultfile.Identity // of the vault that was returned last
	vault    fs.FileInfo        // of its file when it was last known to be good; nil for none
	key      fs.FileInfo        // of the key file when it was last known to be good; nil for none
	failing  bool               // the last refresh brought an error
	asked    time.Time          // when the key was last checked

	keyInterval time.Duration             // how often a key that is in no file is checked
	report      vaultfile.SuccessorReport // of the refresh under way, or of the last
	successor   string                    // what opens the vault in service; "" for the key itself
}

func (c *Config) newFileOrigin(path string, source keysource.Source, closeSource func() error) *fileOrigin {
	o := &fileOrigin{path: path, source: &measuredSource{Source: source}, closeSource: closeSource, keyInterval: c.KeyInterval}
	if o.keyInterval <= 0 {
		o.keyInterval = DefaultKeyInterval
	}
	o.options = []vaultfile.UnlockerOption{vaultfile.WithSuccessorReport(func(r vaultfile.SuccessorReport) { o.report = r })}
	if c.Deriver != nil {
		o.options = append(o.options, vaultfile.WithDeriver(c.Deriver))
	}
	o.unlocker = vaultfile.NewUnlocker(o.source, o.options...)
	if file, ok := source.(*keysource.File); ok && !descriptor.Named(file.String()) {
		if info, err := os.Stat(file.String()); err == nil && info.Mode().IsRegular() {
			o.keyPath = file.String()
		}
	}
	return o
}

func (o *fileOrigin) files() []string {
	if o.keyPath == "" {
		return []string{o.path}
	}
	return []string{o.path, o.keyPath, o.keyPath + keysource.SuccessorSuffix}
}

func (o *fileOrigin) close() error {
	o.unlocker.Close()
	o.dropNext()
	if o.closeSource == nil {
		return nil
	}
	return o.closeSource()
}

func (o *fileOrigin) refuse() { o.refused = true }

func (o *fileOrigin) warning() error {
	if o.report.Opened == "" {
		return nil
	}
	return successorWarning(o.report.Opened)
}

func (o *fileOrigin) standing() error {
	if o.successor == "" {
		return nil
	}
	return successorWarning(o.successor)
}

func successorWarning(name string) error { return fmt.Errorf("%w: %s", ErrSuccessor, name) }

// refresh opens the vault if it has another content. Where it has not, but the key or the vault has been
// touched or there was a failure before, it checks that the key opens the vault: a process that holds the
// vault open would otherwise notice only at its next start that it could not. An identity does not cover
// the whole file, so damage may leave it as it was.
func (o *fileOrigin) refresh(ctx context.Context, thorough bool) (v *vaultfile.Vault, err error) {
	o.report = vaultfile.SuccessorReport{}
	defer func() {
		o.failing = err != nil
		if err != nil && o.report.Err != nil {
			err = fmt.Errorf("%w (its successor is there, and is not used: %w)", err, o.report.Err)
		}
	}()
	vault, key := stat(o.path), o.statKey()
	id, err := vaultfile.Identify(o.path)
	if err != nil {
		return nil, err
	}
	isNew := id != o.identity || o.refused
	suspect := thorough || o.failing || o.opened && (!sameState(key, o.key) || !isNew && !sameState(vault, o.vault) || o.keyIsDue())
	if isNew {
		if v, err = o.unlock(ctx, id); err != nil {
			return nil, err
		}
		o.identity, o.refused = v.Identity(), false // id was that of the file a moment before
		o.settle()
	}
	if suspect {
		if err := o.unlocker.Check(ctx, o.path); err != nil {
			return v, err
		}
		o.settle()
	}
	o.vault, o.key = vault, key
	return v, nil
}

// settle notes what has just opened the vault.
func (o *fileOrigin) settle() { o.successor, o.asked = o.report.Opened, time.Now() }

// keyIsDue tells that a key in no file, which cannot be watched, has not been looked at for long: it may have been disabled.
func (o *fileOrigin) keyIsDue() bool { return o.keyPath == "" && time.Since(o.asked) >= o.keyInterval }

// unlock opens the vault, which was id just before. One with the salt of the vault in service, which a
// rotation changes, has its key too, and that is remembered. Any other is opened with what the source has
// now, by another unlocker, so that the key from before a rotation is forgotten: whoever has got hold of
// that must not be able to put a vault of his own in the place of this one. An unlocker that failed serves
// again for the same vault, because it remembers what it derived.
func (o *fileOrigin) unlock(ctx context.Context, id vaultfile.Identity) (*vaultfile.Vault, error) {
	if o.opened && id.SameSalt(o.identity) {
		v, err := vaultfile.Open(ctx, o.path, o.unlocker)
		if err != nil {
			return nil, err
		}
		if v.Identity().SameSalt(o.identity) {
			o.dropNext()
			return v, nil
		}
		v.Close() // a rotation has just come between
	}
	if o.next != nil && o.nextFor != id {
		o.dropNext()
	}
	if o.next == nil {
		o.next, o.nextFor = vaultfile.NewUnlocker(o.source, o.options...), id
	}
	v, err := vaultfile.Open(ctx, o.path, o.next)
	if err != nil {
		return nil, err
	}
	o.unlocker.Close()
	o.unlocker, o.next, o.opened = o.next, nil, true
	return v, nil
}

func (o *fileOrigin) dropNext() {
	if o.next != nil {
		o.next.Close()
		o.next = nil
	}
}

func (o *fileOrigin) statKey() fs.FileInfo {
	if o.keyPath == "" {
		return nil
	}
	return stat(o.keyPath)
}

// stat returns nil for what cannot be looked at: the check that follows says why.
func stat(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// sameState tells whether nothing has touched a file between two looks at it.
func sameState(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// measuredSource notes whether a passphrase that went through it is short.
type measuredSource struct {
	keysource.Source
	short atomic.Bool
}

var _ vaultfile.SuccessorSource = (*measuredSource)(nil)

func (s *measuredSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	return s.Source.Passphrase(ctx, func(passphrase []byte) error {
		s.short.Store(len(passphrase) < keysource.ShortBytes)
		return use(passphrase)
	})
}

// Successor passes on to a source that has one.
func (s *measuredSource) Successor(ctx context.Context, use func([]byte) error) (string, error) {
	if source, ok := s.Source.(vaultfile.SuccessorSource); ok {
		return source.Successor(ctx, use)
	}
	return "", nil
}

// Opened passes on to a source that wants to know.
func (s *measuredSource) Opened() {
	if source, ok := s.Source.(interface{ Opened() }); ok {
		source.Opened()
	}
}
