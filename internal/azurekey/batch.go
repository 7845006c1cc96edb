package azurekey

import (
	"context"
	"sync"

	"github.com/mazevault/vault-tool/internal/exchange"
)

// timesGiven is how often an answer is given: a rotation reads its keys to derive both at once, and the old one to open
// the vault. A third reading comes after a failure, and has to find what has changed meanwhile.
const timesGiven = 2

// Together makes sources of one asker, none of which has been asked yet, ask for their passphrases in one message, when
// the first of them is needed. They wait in locked memory and are given twice; after that every source asks for itself.
// All of them are to be closed.
func Together(sources ...*Source) {
	b := &batch{sources: sources, waiting: make(map[*Source]*waiting)}
	for _, s := range sources {
		s.batch = b
	}
}

// batch is what sources ask together.
type batch struct {
	sources []*Source

	mu      sync.Mutex
	asked   bool
	answers *exchange.Message
	waiting map[*Source]*waiting
	inUse   int // what is taken and not released
}

// waiting is an answer that its source may take.
type waiting struct {
	answer exchange.Record
	times  int
}

// take returns the answer that waits for s, nil if there is none any more.
func (b *batch) take(ctx context.Context, s *Source) (answer exchange.Record, release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.asked {
		b.asked = true
		if err := b.ask(ctx); err != nil {
			return nil, nil, s.named(err)
		}
	}
	w := b.waiting[s]
	if w == nil {
		return nil, nil, nil
	}
	if w.times--; w.times == 0 {
		delete(b.waiting, s)
	}
	if err := s.failure(w.answer); err != nil {
		b.wipeIfDone()
		return nil, nil, err
	}
	b.inUse++
	return w.answer, b.release, nil
}

// ask is called with the lock held, so that the other sources wait for the answers.
func (b *batch) ask(ctx context.Context) error {
	requests := make([]exchange.Record, len(b.sources))
	for i, s := range b.sources {
		requests[i] = s.request()
	}
	answers, err := b.sources[0].asker.Ask(ctx, requests, len(requests)*maxAnswerBytes)
	if err != nil {
		return err
	}
	b.answers = answers
	for i, s := range b.sources {
		b.waiting[s] = &waiting{answers.Records[i], timesGiven}
	}
	return nil
}

func (b *batch) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse--
	b.wipeIfDone()
}

// forget gives up what waits for s.
func (b *batch) forget(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, s)
	b.wipeIfDone()
}

// wipeIfDone is called with the lock held.
func (b *batch) wipeIfDone() {
	if len(b.waiting) == 0 && b.inUse == 0 {
		b.answers.Destroy()
	}
}
