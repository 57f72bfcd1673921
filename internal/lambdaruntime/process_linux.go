package lambdaruntime

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processAttributes puts an instance into a process group of its own, so that
// it can be frozen and killed with all it starts and a Ctrl-C in the terminal
// does not reach it, and lets the kernel kill it when this process dies.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits until the process has ended and reports true: it is not
// collected yet, so its id is still its own.
func awaitExit(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}

// How long a stop may take to arrive: microseconds, unless somebody continues
// the process behind our back.
const (
	stopPoll  = 20 * time.Microsecond
	stopPolls = 5000
)

// awaitStop waits until the process has stopped or ended.
func awaitStop(pid int) {
	for range stopPolls {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if info.Signo != 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		time.Sleep(stopPoll)
	}
}
