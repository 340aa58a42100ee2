package lines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Serve answers every line of in on out, in order, until in ends. Lines may be
// of any length (bufio.Scanner would stop at a bundle of many anchors).
func Serve(in io.Reader, out io.Writer, handle Handler) error {
	reader := bufio.NewReaderSize(in, 1<<16)
	writer := bufio.NewWriterSize(out, 1<<16)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		line, readErr := reader.ReadBytes('\n')
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return fmt.Errorf("read requests: %w", readErr)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := encoder.Encode(guarded(handle, line)); err != nil {
				return fmt.Errorf("write answers: %w", err)
			}
		}
		// Nothing more to read at once: whoever asks may be waiting for this.
		if readErr != nil || reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return fmt.Errorf("write answers: %w", err)
			}
		}
		if readErr != nil {
			return nil
		}
	}
}

// guarded keeps one line that trips a bug from taking the others with it.
func guarded(handle Handler, line []byte) (answer any) {
	defer func() {
		if trouble := recover(); trouble != nil {
			answer = unjudged(head(line).ID, fmt.Errorf("panic: %v", trouble))
		}
	}()
	return handle(line)
}
