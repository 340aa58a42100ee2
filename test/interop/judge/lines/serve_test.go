package lines

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

type sizeRequest struct {
	Head
	Text []byte `json:"text"`
}

type sizeAnswer struct {
	Verdict
	Size int `json:"size"`
}

func size(request sizeRequest) (sizeAnswer, error) {
	switch string(request.Text) {
	case "bad":
		return sizeAnswer{Size: -1}, errors.New("a <refusal>")
	case "bug":
		panic("a bug")
	}
	return sizeAnswer{Size: len(request.Text)}, nil
}

func serve(t *testing.T, input string) string {
	t.Helper()
	var out bytes.Buffer
	if err := Serve(strings.NewReader(input), &out, ByName(map[string]Handler{"size": Op(size)})); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestServe(t *testing.T) {
	tests := map[string]struct{ input, want string }{
		"accepts":         {`{"id":1,"op":"size","text":"YWI="}`, `{"id":1,"ok":true,"size":2}`},
		"keeps the order": {"{\"id\":\"b\",\"op\":\"size\"}\r\n\n{\"id\":\"a\",\"op\":\"size\"}\n", `{"id":"b","ok":true,"size":0}` + "\n" + `{"id":"a","ok":true,"size":0}`},
		"refuses":         {`{"id":1,"op":"size","text":"YmFk"}`, `{"id":1,"ok":false,"error":"a <refusal>","size":-1}`},
		"outlives a bug":  {`{"id":1,"op":"size","text":"YnVn"}`, `{"id":1,"ok":false,"error":"panic: a bug","unjudged":true}`},
		"no JSON":         {`nonsense`, `{"id":null,"ok":false,"error":"bad request: not JSON","unjudged":true}`},
		"an unknown op":   {`{"id":[1],"op":"sise"}`, `{"id":[1],"ok":false,"error":"bad request: op \"sise\" is none of size","unjudged":true}`},
		"another field":   {`{"id":1,"op":"size","txet":""}`, `{"id":1,"ok":false,"error":"bad request: json: unknown field \"txet\"","unjudged":true}`},
		"bad base64":      {`{"id":1,"op":"size","text":"?"}`, `{"id":1,"ok":false,"error":"bad request: illegal base64 data at input byte 0","unjudged":true}`},
		"a wrong type":    {`[]`, `{"id":null,"ok":false,"error":"bad request: op \"\" is none of size","unjudged":true}`},
		"two on a line":   {`{"id":1,"op":"size"} {}`, `{"id":null,"ok":false,"error":"bad request: not JSON","unjudged":true}`},
		"nothing":         {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.TrimSuffix(serve(t, test.input), "\n"); got != test.want {
				t.Fatalf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestServeTakesLongLines(t *testing.T) {
	long := strings.Repeat("AAAA", 4<<20)
	if got := serve(t, `{"id":1,"op":"size","text":"`+long+`"}`); got != "{\"id\":1,\"ok\":true,\"size\":12582912}\n" {
		t.Fatal(got)
	}
}

// Whoever asks one at a time must not wait for an answer in a buffer.
func TestServeAnswersAtOnce(t *testing.T) {
	requests, ask := io.Pipe()
	read, answers := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Serve(requests, answers, ByName(map[string]Handler{"size": Op(size)})) }()
	for range 3 {
		if _, err := io.WriteString(ask, "{\"id\":1,\"op\":\"size\"}\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("{\"id\":1,\"ok\":true,\"size\":0}\n"))
		if _, err := io.ReadFull(read, answer); err != nil {
			t.Fatal(err)
		}
	}
	ask.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
