package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// restart is what a restart command finds in its environment.
type restart struct {
	Phase   string   `json:"phase"`
	Scopes  []string `json:"scopes"`
	Anchors string   `json:"anchors"`
}

// runRoll hands its environment to the tests, and returns when they have
// restarted what was asked for.
func runRoll(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: traffic roll URL")
	}
	body, err := json.Marshal(restart{
		Phase:   os.Getenv("DAPR_MTLS_PHASE"),
		Scopes:  strings.Split(os.Getenv("DAPR_MTLS_SCOPES"), ","),
		Anchors: os.Getenv(anchorsVariable),
	})
	if err != nil {
		return err
	}
	response, err := http.Post(args[0], "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return nil
}
