package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"syscall"
)

// carryOut does what is planned. The manifest is written first, with all that will have been there at some time, so that a run
// that is killed leaves nothing that the next one does not know of, and no change that nobody is told of; at the end it is written
// again, with what is there.
func (p *plan) carryOut(ctx context.Context, hasManifest bool) (Report, error) {
	have := p.old.clone()
	maps.Copy(have.files, p.next.files)
	maps.Copy(have.directories, p.next.directories)
	if hasManifest && len(p.write)+len(p.remove) > 0 {
		have.change = newChange()
	}
	ahead := have.clone()
	full := false // so that the removals have to make room for the manifest; the old one knows of what goes
	if !hasManifest || !have.equal(p.old) {
		switch err := p.writeManifest(have, hasManifest); {
		case err == nil:
		case hasManifest && len(p.remove) > 0 && isFull(err):
			full, ahead = true, p.old.clone()
		default:
			return Report{}, err
		}
	}
	report := Report{Unchanged: p.unchanged, First: !hasManifest}
	failure := p.removeAll(ctx, &report, have)
	if failure == nil && full {
		failure, ahead = p.writeManifest(have, true), have.clone()
	}
	if failure == nil {
		failure = p.writeAll(ctx, &report, have)
	}
	if failure == nil {
		p.forget(have)
	}
	if !report.Changed() {
		have.change = p.old.change
	}
	if !have.equal(ahead) {
		failure = errors.Join(failure, p.writeManifest(have, true))
	}
	report.Change, report.Told = have.change, have.told
	return report, failure
}

// forget drops from have what was ours and was found exchanged for something else, or gone.
func (p *plan) forget(have manifest) {
	maps.DeleteFunc(have.files, func(name string, _ bool) bool { return !p.next.files[name] })
	maps.DeleteFunc(have.directories, func(name string, _ bool) bool {
		return !p.next.directories[name] && !slices.Contains(p.removeDirs, name)
	})
}

func (p *plan) removeAll(ctx context.Context, report *Report, have manifest) error {
	for _, name := range p.remove {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.tree.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(have.files, name)
		report.Removed = append(report.Removed, name)
	}
	for _, name := range p.removeDirs {
		err := p.tree.Remove(name)
		switch {
		case err == nil || errors.Is(err, fs.ErrNotExist):
			delete(have.directories, name)
		case p.wanted[name]:
			return fmt.Errorf("%w: %s has files of others in it", ErrConflict, p.tree.Path(name))
		case errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist): // it may go another time
		default:
			return err
		}
	}
	return nil
}

func (p *plan) writeAll(ctx context.Context, report *Report, have manifest) error {
	if err := p.makeDirectories(); err != nil {
		return err
	}
	for _, name := range p.names {
		info, ok := p.write[name]
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := p.secrets.Use(name, func(value []byte) error {
			changed, err := p.put(name, info, value)
			if changed {
				report.Written = append(report.Written, name)
			}
			return err
		})
		if errors.Is(err, fs.ErrExist) { // since the plan was made
			delete(have.files, name)
			return fmt.Errorf("%w: %w", ErrConflict, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeDirectories makes those that are missing, the outermost first, and gives those that are there their access, the
// innermost first.
func (p *plan) makeDirectories() error {
	for _, dir := range p.directories {
		if dir == rootDirectory {
			continue
		}
		if err := p.tree.Mkdir(dir, p.directoryAccess); err != nil {
			return err
		}
	}
	for _, dir := range slices.Backward(p.directories) {
		if err := p.tree.SetAccess(dir, p.directoryAccess); err != nil {
			return err
		}
	}
	return nil
}
