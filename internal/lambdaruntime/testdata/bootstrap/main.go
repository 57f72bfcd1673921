// Command bootstrap is the function that the tests of lambdaruntime run: what
// it does is in the event.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
	N    int
}

type answer struct {
	PID        int
	Count      int64
	Text       string
	Env        map[string]string
	RequestID  string
	ARN        string
	Trace      string
	DeadlineMS int64
	Child      int
}

var count atomic.Int64

type customError struct{ what string }

func (e customError) Error() string { return e.what }

func handle(ctx context.Context, e event) (answer, error) {
	a := answer{PID: os.Getpid(), Count: count.Add(1), Text: e.Text}
	switch e.Do {
	case "echo":
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		a.RequestID, a.ARN = lc.AwsRequestID, lc.InvokedFunctionArn
		a.Trace, _ = ctx.Value("x-amzn-trace-id").(string)
		deadline, _ := ctx.Deadline()
		a.DeadlineMS = deadline.UnixMilli()
	case "env":
		a.Env = map[string]string{}
		for _, kv := range os.Environ() {
			k, v, _ := strings.Cut(kv, "=")
			a.Env[k] = v
		}
	case "sleep":
		time.Sleep(time.Duration(e.N) * time.Millisecond)
	case "wait": // until the file is there
		for {
			if _, err := os.Stat(e.Text); err == nil {
				return a, nil
			}
			time.Sleep(time.Millisecond)
		}
	case "mark": // say in the file that the event has begun, then hang
		if err := os.WriteFile(e.Text, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			return a, err
		}
		time.Sleep(time.Hour)
	case "error":
		return a, customError{e.Text}
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.N)
	case "big":
		a.Text = strings.Repeat("x", e.N)
	case "print":
		fmt.Println(e.Text)
		fmt.Fprint(os.Stderr, e.Text, " to stderr") // no end of line
	case "background": // goes on after the response
		f, err := os.OpenFile(e.Text, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return a, err
		}
		go func() {
			for {
				_, _ = f.WriteString(".")
				time.Sleep(time.Millisecond)
			}
		}()
	case "spawn":
		cmd := exec.Command("/bin/sleep", "1000")
		if err := cmd.Start(); err != nil {
			return a, err
		}
		a.Child = cmd.Process.Pid
	default:
		return a, errors.New("unknown event")
	}
	return a, nil
}

func main() {
	switch os.Getenv("MODE") {
	case "init-exit":
		os.Exit(7)
	case "init-hang":
		time.Sleep(time.Hour)
	case "init-error":
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		body := []byte(`{"errorType":"Config.Missing","errorMessage":"TABLE is not set"}`)
		if res, err := http.Post(url, "application/json", bytes.NewReader(body)); err != nil || res.StatusCode != http.StatusAccepted {
			os.Exit(8)
		}
		os.Exit(1)
	case "raw":
		raw()
	}
	lambda.Start(handle)
}

// raw is a custom runtime that makes mistakes and answers each event with the
// statuses it got for them.
func raw() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	post := func(path, body, errorType string) int {
		req, err := http.NewRequest(http.MethodPost, api+path, strings.NewReader(body))
		if err != nil {
			os.Exit(8)
		}
		if errorType != "" {
			req.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			os.Exit(9)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return res.StatusCode
	}
	last := "none"
	for {
		res, err := http.Get(api + "invocation/next")
		if err != nil {
			os.Exit(10)
		}
		payload, _ := io.ReadAll(res.Body)
		res.Body.Close()
		id := res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		if strings.Contains(string(payload), "error") {
			post("invocation/"+id+"/error", "no JSON", "Custom.Kind")
			last = id
			continue
		}
		statuses := []int{
			post("invocation/wrong/response", "{}", ""),
			post("invocation/"+last+"/response", "{}", ""),
			post("invocation/"+last+"/error", "{}", ""),
			post("init/error", "{}", ""),
			post("nothing", "{}", ""),
		}
		last = id
		post("invocation/"+id+"/response", strings.ReplaceAll(fmt.Sprint(statuses), " ", ","), "")
	}
}
