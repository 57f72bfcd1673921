//go:build unix && !linux

package lambdaruntime

import "syscall"

// processAttributes puts an instance into a process group of its own, so that
// it can be frozen and killed with all it starts and a Ctrl-C in the terminal
// does not reach it. Only Linux can also end it when this process dies.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// awaitExit reports false: exec.Cmd.Wait both waits and collects here.
func awaitExit(int) bool { return false }

// awaitStop does not wait: a stop takes microseconds to arrive.
func awaitStop(int) {}
