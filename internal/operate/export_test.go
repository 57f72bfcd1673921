package operate

import "time"

// SetPause changes how long Verify waits between two looks.
func (d *Direct) SetPause(p time.Duration) { d.pause = p }
