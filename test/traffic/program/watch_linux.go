package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
)

// watch calls notice with the name of every file in the folder to which
// anything happens: all that Sentry's watcher would see, and never less.
func watch(folder string, notice func(name string)) error {
	inotify, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	const events = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_ATTRIB | syscall.IN_DELETE | syscall.IN_MOVE
	if _, err := syscall.InotifyAddWatch(inotify, folder, events); err != nil {
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	go func() {
		buffer := make([]byte, 64*1024)
		for {
			size, err := syscall.Read(inotify, buffer)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				panic(fmt.Sprintf("watch %s: %v", folder, err))
			}
			for rest := buffer[:size]; len(rest) >= syscall.SizeofInotifyEvent; {
				end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
				notice(strings.TrimRight(string(rest[syscall.SizeofInotifyEvent:end]), "\x00"))
				rest = rest[end:]
			}
		}
	}()
	return nil
}
