// Package progress draws a bar on a terminal.
package progress

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Bar is a progress bar. Methods may be called on nil, which draws nothing.
type Bar struct {
	container *mpb.Progress
	bar       *mpb.Bar
}

// Start draws a bar of total steps on a terminal, which nothing else is written to until Remove.
func Start(terminal *os.File, label string, total int) *Bar {
	const width = 60
	container := mpb.New(mpb.WithOutput(terminal), mpb.WithWidth(width))
	bar := container.AddBar(int64(total),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(label+" ")),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d")))
	return &Bar{container, bar}
}

// Step advances the bar by one step.
func (b *Bar) Step() {
	if b != nil {
		b.bar.Increment()
	}
}

// Remove takes the bar from the terminal. It may be called again.
func (b *Bar) Remove() {
	if b == nil {
		return
	}
	const fromScreenToo = true
	b.bar.Abort(fromScreenToo) // nothing happens where it is complete
	b.container.Wait()
}
