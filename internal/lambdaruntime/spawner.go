package lambdaruntime

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one thread that lives as long as the Runtime.
// On Linux children die with the thread that started them (Pdeathsig, see
// prctl(2)); threads of the Go runtime may end before the process does.
type spawner struct {
	requests chan spawnRequest
}

type spawnRequest struct {
	cmd *exec.Cmd
	err chan error
}

func (s *spawner) start() {
	s.requests = make(chan spawnRequest)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for r := range s.requests {
			r.err <- r.cmd.Start()
		}
	}()
}

func (s *spawner) spawn(cmd *exec.Cmd) error {
	r := spawnRequest{cmd, make(chan error, 1)}
	s.requests <- r
	return <-r.err
}

// stop ends the thread; nothing may be spawned afterwards.
func (s *spawner) stop() { close(s.requests) }
