//go:build !unix

package cli

import "os/exec"

func ownGroup(*exec.Cmd)      {}
func interrupt(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
func kill(cmd *exec.Cmd)      { _ = cmd.Process.Kill() }
