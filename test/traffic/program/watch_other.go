//go:build !linux

package main

import (
	"fmt"
	"os"
	"time"
)

// watch calls notice with the name of every file in the folder that is another
// one than 20 ms before. What comes and goes in between is not seen: where
// there is no inotify, the tests are that much more lenient.
func watch(folder string, notice func(name string)) error {
	before, err := list(folder)
	if err != nil {
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			now, err := list(folder)
			if err != nil {
				continue
			}
			for name, info := range now {
				old, known := before[name]
				if !known || !os.SameFile(old, info) || old.ModTime() != info.ModTime() || old.Mode() != info.Mode() {
					notice(name)
				}
			}
			for name := range before {
				if _, still := now[name]; !still {
					notice(name)
				}
			}
			before = now
		}
	}()
	return nil
}

func list(folder string) (map[string]os.FileInfo, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	found := make(map[string]os.FileInfo, len(entries))
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			found[entry.Name()] = info
		}
	}
	return found, nil
}
