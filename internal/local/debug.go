package local

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// debugReport is what /debug/symphony says of one process, for the load test.
type debugReport struct {
	PID int
	// Calls counts the calls of each port's methods; see meter.
	Calls map[string]int64 `json:",omitempty"`
	// Gateway is nil in a process that has none.
	Gateway *gateway.Snapshot `json:",omitempty"`
	// Processes are the debug URLs of the fleet's gateways.
	Processes  []string `json:",omitempty"`
	Goroutines int
	HeapBytes  uint64
}

func snapshotOf(g *gateway.Gateway) *gateway.Snapshot {
	s := g.Snapshot()
	return &s
}

// debugServer serves profiles and counters on a loopback port of its own,
// never on the one that the network may reach.
type debugServer struct {
	url    string
	server *http.Server
}

func startDebug(report func() debugReport) (*debugServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	runtime.SetMutexProfileFraction(100)
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/symphony", func(w http.ResponseWriter, _ *http.Request) {
		r := report()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r.PID, r.Goroutines, r.HeapBytes = os.Getpid(), runtime.NumGoroutine(), m.HeapAlloc
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r)
	})
	d := &debugServer{url: "http://" + listener.Addr().String(), server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = d.server.Serve(listener) }()
	return d, nil
}

func (d *debugServer) close() { _ = d.server.Close() }
