// Package progress draws a bar on a terminal.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// interval is how often the bar is drawn at most.
const interval = 100 * time.Millisecond

// cells is the width of the bar: together with a label of a word and numbers of seven digits it fits a narrow terminal.
const cells = 40

// clearLine goes to the beginning of the line and clears it (ECMA-48, erase in line).
const clearLine = "\r\x1b[K"

// Bar is a progress bar. Methods may be called on nil, which draws nothing, and by several goroutines.
type Bar struct {
	terminal io.Writer
	label    string
	total    int
	now      func() time.Time

	mu      sync.Mutex
	done    int
	drawn   time.Time
	removed bool
}

// Start draws a bar of total steps on a terminal, which nothing else is written to until Remove.
func Start(terminal io.Writer, label string, total int) *Bar {
	return start(terminal, label, total, time.Now)
}

func start(terminal io.Writer, label string, total int, now func() time.Time) *Bar {
	b := &Bar{terminal: terminal, label: label, total: total, now: now}
	b.draw()
	return b
}

// Step advances the bar by one step.
func (b *Bar) Step() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if !b.removed && b.now().Sub(b.drawn) >= interval {
		b.draw()
	}
}

// draw writes the whole line at once, so that it does not flicker.
func (b *Bar) draw() {
	full := 0
	if b.total > 0 {
		full = cells * min(b.done, b.total) / b.total
	}
	fmt.Fprintf(b.terminal, "%s%s [%s%s] %d/%d", clearLine, b.label, strings.Repeat("=", full), strings.Repeat("-", cells-full), b.done, b.total)
	b.drawn = b.now()
}

// Remove takes the bar from the terminal. It may be called again.
func (b *Bar) Remove() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.removed {
		b.removed = true
		_, _ = io.WriteString(b.terminal, clearLine)
	}
}
