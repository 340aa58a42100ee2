package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
)

// Events go to standard output, one JSON document a line, and are whole however
// many goroutines tell something at once.
var telling sync.Mutex

// tell writes one event. A reader that is gone is noticed at standard input.
func tell(event any) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	telling.Lock()
	defer telling.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// hear hands every line of standard input to take. When there are no more, the
// tests are gone, however they went: nothing of theirs may go on running.
func hear(take func(line []byte)) {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		take(input.Bytes())
	}
	os.Exit(3)
}
