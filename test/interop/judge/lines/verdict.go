// Package lines speaks the protocol of the judges: one JSON request a line
// in, one JSON answer a line out, in the same order.
package lines

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Head is what every request carries; requests embed it.
type Head struct {
	ID json.RawMessage `json:"id"`
	Op string          `json:"op,omitempty"`
}

// Verdict is what every answer carries; answers embed it.
type Verdict struct {
	ID json.RawMessage `json:"id"`
	OK bool            `json:"ok"`
	// Error says why OK is false.
	Error string `json:"error,omitempty"`
	// Unjudged is true when the request could not be understood. A test that
	// expects a refusal must not be satisfied by its own spelling mistake.
	Unjudged bool `json:"unjudged,omitempty"`
}

// Conclude fills the verdict in: accepted without an error, refused with one.
func (v *Verdict) Conclude(id json.RawMessage, err error) {
	v.ID = id
	v.OK = err == nil
	if err != nil {
		v.Error = err.Error()
		v.Unjudged = errors.As(err, new(*requestError))
	}
}

// requestError marks an error that is the asker's and no verdict.
type requestError struct{ cause error }

func (e *requestError) Error() string { return e.cause.Error() }
func (e *requestError) Unwrap() error { return e.cause }

// Unjudged makes the error of a request that makes no sense.
func Unjudged(format string, args ...any) error {
	return &requestError{cause: fmt.Errorf(format, args...)}
}

func unjudged(id json.RawMessage, err error) *Verdict {
	verdict := new(Verdict)
	verdict.Conclude(id, &requestError{cause: err})
	return verdict
}
