package azurekeyvault

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wipingConn overwrites what was read through it when it is closed. crypto/tls decrypts a record in
// the memory into which it was read, and keeps that memory: without this, the secret would stay there
// in the clear.
type wipingConn struct {
	net.Conn
	records records

	mu      sync.Mutex
	reading bool
	closed  bool
	filled  [][]byte
	wiped   chan struct{} // closed at the first wiping
}

func (c *wipingConn) Write(p []byte) (int, error) {
	c.records.noteWrite(p)
	return c.Conn.Write(p)
}

func (c *wipingConn) Read(p []byte) (int, error) {
	p = p[:min(len(p), c.records.readable(len(p)))]
	c.setReading()
	n, err := c.Conn.Read(p)
	c.records.noteRead(p[:n])

	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	c.filled = append(c.filled, p[:n])
	if c.closed {
		c.wipe()
	}
	return n, err
}

func (c *wipingConn) setReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
}

// Close also wipes. A read under way does that itself: it ends at once, and until then the memory is
// its own.
func (c *wipingConn) Close() error {
	err := c.Conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if !c.reading {
		c.wipe()
	}
	return err
}

// wipe is called with the lock held.
func (c *wipingConn) wipe() {
	for _, part := range c.filled {
		clear(part)
	}
	c.filled = nil
	select {
	case <-c.wiped:
	default:
		close(c.wiped)
	}
}

// The record layer of TLS (RFC 8446, section 5.1): a header of type, version and length, then as many
// bytes.
const (
	recordHeaderBytes  = 5
	recordLengthOffset = 3
	recordHandshake    = 22 // the type of a client's first record; no plain HTTP begins with it
)

// records cuts what is read at the borders of TLS records. Given more, crypto/tls would move the
// beginning of a long record to a larger buffer, out of reach of the wiping, before it decrypts it.
// It does nothing until the client begins a handshake, so that a proxy can be talked to before.
type records struct {
	started atomic.Bool
	header  [recordHeaderBytes]byte
	have    int // bytes of header
	left    int // bytes of the record that are still to come
}

func (r *records) noteWrite(p []byte) {
	if len(p) > 0 && p[0] == recordHandshake {
		r.started.Store(true)
	}
}

// readable returns how many bytes of size may be read at once.
func (r *records) readable(size int) int {
	switch {
	case !r.started.Load():
		return size
	case r.left > 0:
		return r.left
	}
	return recordHeaderBytes - r.have
}

func (r *records) noteRead(p []byte) {
	switch {
	case !r.started.Load():
	case r.left > 0:
		r.left -= len(p)
	default:
		r.have += copy(r.header[r.have:], p)
		if r.have == recordHeaderBytes {
			r.have, r.left = 0, int(binary.BigEndian.Uint16(r.header[recordLengthOffset:]))
		}
	}
}

// wipingDialer makes wipingConns and remembers them.
type wipingDialer struct {
	mu    sync.Mutex
	conns []*wipingConn
}

func (d *wipingDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &wipingConn{Conn: conn, wiped: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, c)
	return c, nil
}

// wipeWait bounds the wait for a reader that a closed connection does not wake: there is none known.
const wipeWait = 100 * time.Millisecond

// close closes the connections and returns when all are wiped.
func (d *wipingDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		_ = c.Close() // closed already, most often; nothing was written that could be lost
	}
	limit := time.NewTimer(wipeWait)
	defer limit.Stop()
	for _, c := range d.conns {
		select {
		case <-c.wiped:
		case <-limit.C:
			return
		}
	}
}
