package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// wire returns the two ends of a connection in memory. Unlike net.Pipe's, its
// writes do not wait for the reader: in a TLS handshake that fails both sides
// may be writing at once, and on a bare pipe each would wait for the other.
func wire(limit time.Duration) (net.Conn, net.Conn) {
	left, right := net.Pipe()
	return newWireEnd(left, limit), newWireEnd(right, limit)
}

type wireEnd struct {
	net.Conn
	queue  chan []byte
	mutex  sync.Mutex
	closed bool
}

func newWireEnd(pipe net.Conn, limit time.Duration) *wireEnd {
	_ = pipe.SetDeadline(time.Now().Add(limit))
	end := &wireEnd{Conn: pipe, queue: make(chan []byte, 64)}
	go end.deliver()
	return end
}

// deliver hands on what was written, all of it before the end is closed.
func (end *wireEnd) deliver() {
	for data := range end.queue {
		if _, err := end.Conn.Write(data); err != nil {
			break
		}
	}
	_ = end.Conn.Close()
}

func (end *wireEnd) Write(data []byte) (int, error) {
	end.mutex.Lock()
	defer end.mutex.Unlock()
	if end.closed {
		return 0, io.ErrClosedPipe
	}
	// The caller may reuse its buffer.
	end.queue <- append([]byte(nil), data...)
	return len(data), nil
}

func (end *wireEnd) Close() error {
	end.mutex.Lock()
	defer end.mutex.Unlock()
	if !end.closed {
		end.closed = true
		close(end.queue)
	}
	return nil
}

// SetWriteDeadline does nothing. crypto/tls closes a connection with a deadline
// in the past, which would stop what is still to be delivered.
func (end *wireEnd) SetWriteDeadline(time.Time) error { return nil }
