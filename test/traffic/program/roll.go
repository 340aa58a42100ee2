package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// runRoll hands the anchors of its environment to the tests, and returns when
// every service was born anew with them.
func runRoll(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: traffic roll URL")
	}
	anchors := os.Getenv(anchorsVariable)
	if anchors == "" {
		return fmt.Errorf("%s is not in the environment", anchorsVariable)
	}
	response, err := http.Post(args[0], "application/x-pem-file", bytes.NewReader([]byte(anchors)))
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
