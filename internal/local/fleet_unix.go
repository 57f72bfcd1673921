//go:build unix

package local

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from a child: it ends when it is told to.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
