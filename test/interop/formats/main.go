// Reads what dapr-mtls writes for other programs with the libraries that those programs are made of:
// promtool's lint, a reader of JUnit reports. One JSON request a line on standard
// input, one JSON answer a line on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/joshdk/go-junit"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type request struct {
	Format string `json:"format"`
	Text   string `json:"text"`
}

type answer struct {
	// Why it cannot be read, or what is bad about it; empty where it is as it should be.
	Problems []string `json:"problems"`
	// What was read of it.
	Counts map[string]int `json:"counts"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 16<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var wish request
		if err := json.Unmarshal(input.Bytes(), &wish); err != nil {
			fail(err)
		}
		if err := output.Encode(read(wish)); err != nil {
			fail(err)
		}
	}
	if err := input.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func read(wish request) answer {
	counts := map[string]int{}
	var problems []string
	var err error
	switch wish.Format {
	case "prometheus":
		problems, err = readPrometheus(wish.Text, counts)
	case "junit":
		err = readJUnit(wish.Text, counts)
	default:
		err = fmt.Errorf("no reader for %q", wish.Format)
	}
	if err != nil {
		problems = append(problems, err.Error())
	}
	return answer{Problems: append([]string{}, problems...), Counts: counts}
}

func readPrometheus(text string, counts map[string]int) ([]string, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	for name, family := range families {
		counts[name] = len(family.GetMetric())
	}
	found, err := promlint.New(strings.NewReader(text)).Lint()
	problems := make([]string, 0, len(found))
	for _, problem := range found {
		problems = append(problems, problem.Metric+": "+problem.Text)
	}
	return problems, err
}

func readJUnit(text string, counts map[string]int) error {
	suites, err := junit.Ingest([]byte(text))
	if err != nil {
		return err
	}
	for _, suite := range suites {
		counts["tests"] += suite.Totals.Tests
		counts["failed"] += suite.Totals.Failed
		counts["passed"] += suite.Totals.Passed
	}
	return nil
}
