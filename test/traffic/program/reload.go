package main

import (
	"maps"
	"slices"
	"time"
)

// What a real Sentry was seen to do after something happened in its folder.
const (
	reloadDelay  = 2500 * time.Millisecond
	furtherDelay = 2000 * time.Millisecond
)

// schedule calls reload 2.5 s after an event, and 2 s later once more for each
// further name.
func schedule(events <-chan string, reload func()) {
	due := map[string]time.Time{}
	timer := time.NewTimer(time.Hour)
	for {
		select {
		case name := <-events:
			due[name] = nextReload(due, name, time.Now())
		case now := <-timer.C:
			for name, at := range due {
				if !at.After(now) {
					delete(due, name)
				}
			}
			reload()
		}
		timer.Stop()
		if len(due) > 0 {
			timer.Reset(time.Until(slices.MinFunc(slices.Collect(maps.Values(due)), time.Time.Compare)))
		}
	}
}

func nextReload(due map[string]time.Time, name string, now time.Time) time.Time {
	soonest := now.Add(reloadDelay)
	if pending, known := due[name]; known {
		if pending.After(soonest) {
			return pending
		}
		return soonest
	}
	if len(due) == 0 {
		return soonest
	}
	return slices.MaxFunc(slices.Collect(maps.Values(due)), time.Time.Compare).Add(furtherDelay)
}
