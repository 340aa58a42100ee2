package lines

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Handler answers one line. What it returns is marshalled as the answer.
type Handler func(line []byte) any

type concluder[A any] interface {
	*A
	Conclude(id json.RawMessage, err error)
}

// Op makes a handler of a function from a request to an answer. The function's
// error becomes the verdict, whatever else the answer holds is kept beside it.
//
// A field the request does not know is refused: a misspelt `usages` would
// otherwise judge less than the test believes.
func Op[Q, A any, P concluder[A]](judge func(Q) (A, error)) Handler {
	return func(line []byte) any {
		var request Q
		if err := decode(line, &request); err != nil {
			return unjudged(head(line).ID, fmt.Errorf("bad request: %w", err))
		}
		answer, err := judge(request)
		P(&answer).Conclude(head(line).ID, err)
		return &answer
	}
}

// ByName passes each line to the handler that its `op` names.
func ByName(ops map[string]Handler) Handler {
	names := make([]string, 0, len(ops))
	for name := range ops {
		names = append(names, name)
	}
	slices.Sort(names)
	return func(line []byte) any {
		head := head(line)
		if op, known := ops[head.Op]; known {
			return op(line)
		}
		if !json.Valid(line) {
			return unjudged(nil, fmt.Errorf("bad request: not JSON"))
		}
		return unjudged(head.ID, fmt.Errorf("bad request: op %q is none of %s", head.Op, strings.Join(names, ", ")))
	}
}

// head reads what can be read of a line, so that even a bad request is
// answered under its own id.
func head(line []byte) Head {
	var head Head
	_ = json.Unmarshal(line, &head)
	return head
}

func decode(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value on the line")
	}
	return nil
}
