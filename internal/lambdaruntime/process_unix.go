//go:build unix

package lambdaruntime

import "syscall"

type processSignal = syscall.Signal

const (
	sigStop     = syscall.SIGSTOP
	sigContinue = syscall.SIGCONT
	sigKill     = syscall.SIGKILL
)

// signalGroup signals a process group that may have ended.
func signalGroup(pid int, s processSignal) {
	_ = syscall.Kill(-pid, s)
}
