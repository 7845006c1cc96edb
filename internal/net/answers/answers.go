// Package answers is vault-tool-net's side of the conversation with vault-tool: it reads the requests, has them
// answered, and writes the answers. docs/net-protocol.md describes both.
package answers

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/mazevault/vault-tool/internal/exchange"
)

// Operation answers one request. Its error is told as it is, so its text is ours, never an SDK's; where it is not an
// [exchange.Failure], only that it failed is told. What it returns may be parts of memory that release, which is
// called in any case and may be nil, wipes.
type Operation func(ctx context.Context, request exchange.Record) (answer exchange.Record, release func(), err error)

// ErrAbandoned: the program that asked has ended, or does not speak as it should.
var ErrAbandoned = errors.New("nobody waits for an answer")

// Serve reads one message of requests and answers it. It returns when the answers are written, or as soon as the
// input ends or goes on, and does not wait for operations that are under way then: the program is to end.
//
// A message of another version is answered with an empty one, whose header says this program's.
func Serve(ctx context.Context, in io.Reader, out io.Writer, operations map[string]Operation) error {
	requests, err := exchange.Read(in, exchange.MaxBytes)
	if err != nil {
		var other *exchange.VersionError
		if errors.As(err, &other) {
			return errors.Join(err, exchange.Write(out, &exchange.Message{}))
		}
		return err
	}
	defer requests.Destroy()
	ctx, cancel := context.WithTimeout(ctx, requests.Within)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- write(out, answerAll(ctx, requests.Records, operations)) }()
	abandoned := make(chan struct{})
	go func() {
		_, _ = in.Read(make([]byte, 1)) // nothing more is to come but the end
		close(abandoned)
	}()
	select {
	case err := <-written:
		return err
	case <-abandoned:
		return ErrAbandoned
	}
}

// sideBySide is how many requests are under way at a time, so that a store does not take them for an attack.
const sideBySide = 4

// answered is an answer and what wipes it.
type answered struct {
	record  exchange.Record
	release func()
}

// answerAll answers the requests, in their order.
func answerAll(ctx context.Context, requests []exchange.Record, operations map[string]Operation) []answered {
	all := make([]answered, len(requests))
	turns := make(chan struct{}, sideBySide)
	var group sync.WaitGroup
	for i, request := range requests {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			all[i] = answer(ctx, request, operations)
		})
	}
	group.Wait()
	return all
}

func answer(ctx context.Context, request exchange.Record, operations map[string]Operation) answered {
	operation := operations[request.Text(exchange.FieldOperation)]
	if operation == nil {
		operation = unknown
	}
	record, release, err := operation(ctx, request)
	if err != nil {
		record = failureOf(err).Record()
	}
	return answered{record, release}
}

// unknown answers what vault-tool-net cannot do. A program of the same version does not ask for it.
func unknown(context.Context, exchange.Record) (exchange.Record, func(), error) {
	return nil, nil, &exchange.Failure{Kind: exchange.BadRequest, Text: "vault-tool-net does not know what it is asked for"}
}

// failureOf is an error in the words of the operation, or in none.
func failureOf(err error) *exchange.Failure {
	var f *exchange.Failure
	if errors.As(err, &f) {
		return f
	}
	return &exchange.Failure{Kind: exchange.Failed, Text: "vault-tool-net failed, for a reason that it does not tell"}
}

// write writes the answers and wipes them.
func write(out io.Writer, all []answered) error {
	records := make([]exchange.Record, len(all))
	for i, a := range all {
		records[i] = a.record
	}
	err := exchange.Write(out, &exchange.Message{Records: records})
	for _, a := range all {
		if a.release != nil {
			a.release()
		}
	}
	return err
}
