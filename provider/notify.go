package provider

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// notifier turns the system's notifications about directories into events about files, whose links it
// follows. Watching a file itself would lose sight of it when it is replaced.
type notifier struct {
	system *fsnotify.Watcher      // nil where there are no notifications
	add    func(dir string) error // the system's
	relay  chan struct{}          // holds a token while something has happened
	failed chan error             // holds the first reason why some notifications cannot be had
	once   sync.Once              // for that reason

	mu    sync.Mutex
	names map[string]bool // in events that concern the files
}

// newNotifier watches what the paths lead to. It always returns a notifier; failure says if that one is
// deaf.
func newNotifier(paths []string) *notifier {
	n := &notifier{relay: make(chan struct{}, 1), failed: make(chan error, 1)}
	if len(paths) == 0 {
		return n
	}
	system, err := fsnotify.NewWatcher()
	if err != nil {
		n.fail(err)
		return n
	}
	n.system, n.add = system, system.Add
	n.renew(paths)
	go n.filter()
	return n
}

// events yields after one or more of the files, or what they are reached by, have been touched.
func (n *notifier) events() <-chan struct{} { return n.relay }

// failure yields, once, why not everything can be watched.
func (n *notifier) failure() <-chan error { return n.failed }

func (n *notifier) fail(err error) { n.once.Do(func() { n.failed <- err }) }

func (n *notifier) close() {
	if n.system != nil {
		_ = n.system.Close() // it only ever read
	}
}

// filter passes on the events that concern the files.
func (n *notifier) filter() {
	for {
		select {
		case event, ok := <-n.system.Events:
			if !ok {
				return
			}
			if !n.concerns(event.Name) {
				continue
			}
		case err, ok := <-n.system.Errors: // anything may have happened
			if !ok {
				return
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				n.fail(err)
			}
		}
		select {
		case n.relay <- struct{}{}:
		default:
		}
	}
}

func (n *notifier) concerns(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names[filepath.Clean(name)]
}

// maxRenewals bounds how often renew starts over because links were changed meanwhile.
const maxRenewals = 5

// renew makes the set of watched directories fit what the paths lead to now. A directory that another
// has taken the place of is watched anew.
func (n *notifier) renew(paths []string) {
	if n.system == nil {
		return
	}
	var watched map[string]bool
	for range maxRenewals {
		dirs, names := routes(paths)
		n.mu.Lock()
		n.names = names
		n.mu.Unlock()
		if sameKeys(dirs, watched) {
			return // nothing was changed between the looking up and the watching
		}
		for dir := range dirs {
			if err := n.add(dir); err != nil && !leadsNowhere(err) {
				n.fail(err)
			}
		}
		for _, dir := range n.system.WatchList() {
			if !dirs[dir] {
				_ = n.system.Remove(dir) // fails for one that is gone, as it should be
			}
		}
		watched = dirs
	}
}

// leadsNowhere tells that there is no such directory. What makes it one is noticed where the path breaks off, or by looking.
func leadsNowhere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

func sameKeys(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if !b[key] {
			return false
		}
	}
	return true
}

// maxLinks is how many symbolic links a path may lead through, as in the Linux kernel.
const maxLinks = 40

// routes returns the directories to watch so as to notice when absolute paths come to lead to other
// files, and the names in events that mean so: of every link on the way, of the file at its end, and of
// the directories themselves.
func routes(paths []string) (dirs, names map[string]bool) {
	dirs, names = make(map[string]bool), make(map[string]bool)
	for _, path := range paths {
		walk(path, func(entry string) {
			dir := filepath.Dir(entry)
			dirs[dir], names[dir], names[entry] = true, true, true
		})
	}
	return dirs, names
}

// walk calls note with every symbolic link that an absolute path leads through, and with its end, or with the first part that is not there. It
// resolves as the system does, so that ".." behind a link is the parent of the link's target.
func walk(path string, note func(entry string)) {
	at, rest := splitRoot(path)
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, part)
		target, err := os.Readlink(next)
		if errors.Is(err, fs.ErrNotExist) { // what is watched for is the part that is missing first
			note(next)
			return
		}
		if err != nil || links == maxLinks { // no link, or nothing there
			at = next
			continue
		}
		note(next)
		links++
		if filepath.IsAbs(target) {
			var parts []string
			at, parts = splitRoot(target)
			rest = append(parts, rest...)
		} else {
			rest = append(strings.Split(filepath.FromSlash(target), string(filepath.Separator)), rest...)
		}
	}
	note(at)
}

func splitRoot(path string) (root string, parts []string) {
	root = filepath.VolumeName(path) + string(filepath.Separator)
	return root, strings.Split(filepath.FromSlash(path[len(root):]), string(filepath.Separator))
}
