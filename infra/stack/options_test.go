package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
)

var parse = stack.ParseOptions

func TestDefaultOptions(t *testing.T) {
	o, err := parse(map[string]any{"auth": "open"})
	require.NoError(t, err)
	require.Equal(t, stack.Options{
		Stage: "dev", Open: true, Origins: []string{"*"}, Alarms: true, Dashboard: true, Rate: 10_000, Burst: 5_000,
		Reserved: map[string]float64{}, LogDays: 30, AccessLogs: true, Tracing: true, AccountLogging: true, Assets: "../build/zips",
	}, o)
	require.Equal(t, "symphony-dev", o.Name())
}

// P36: a deployment is never open by omission.
func TestSaysWhoMayConnect(t *testing.T) {
	_, err := parse(nil)
	require.ErrorContains(t, err, "-c secretParameter=")
	require.ErrorContains(t, err, "-c auth=open")
	o, err := parse(map[string]any{"secretParameter": "/symphony/dev/secret"})
	require.NoError(t, err)
	require.False(t, o.Open)
	require.Equal(t, "/symphony/dev/secret", o.SecretParameter)
}

// Only dev stages lose their data with the stack, unless it is said.
func TestRetainFollowsTheStage(t *testing.T) {
	for stage, retain := range map[string]bool{"dev": false, "dev-anna": false, "devel": true, "prod": true, "staging": true} {
		o, err := parse(map[string]any{"auth": "open", "stage": stage})
		require.NoError(t, err)
		require.Equal(t, retain, o.Retain, stage)
	}
	o, err := parse(map[string]any{"auth": "open", "stage": "staging", "retain": "false"})
	require.NoError(t, err)
	require.False(t, o.Retain)
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct {
		context map[string]any
		says    string
	}{
		{map[string]any{"stage": "Prod"}, "stage=Prod"},
		{map[string]any{"stage": ""}, "stage="},
		{map[string]any{"stage": "a23456789012345678901"}, "up to 19"},
		{map[string]any{"stage": "1st"}, "stage=1st"},
		{map[string]any{"stage": "a_b"}, "stage=a_b"},
		{map[string]any{"auth": "jwt"}, "neither hs256 nor open"},
		{map[string]any{"secretParameter": "/x"}, "remove one of the two"},
		{map[string]any{"auth": "hs256", "secretParameter": "x"}, "starts with /"},
		{map[string]any{"secretKey": "arn:aws:kms:us-east-1:1:key/2"}, "secretKey"},
		{map[string]any{"domain": "a.example.com"}, "certificate"},
		{map[string]any{"certificate": "arn:aws:acm:us-east-1:1:certificate/2"}, "want -c domain"},
		{map[string]any{"zone": "Z1"}, "want -c domain"},
		{map[string]any{"retain": "maybe"}, "retain=maybe"},
		{map[string]any{"rate": "-1"}, "rate=-1"},
		{map[string]any{"rate": "NaN"}, "rate=NaN"},
		{map[string]any{"rate": "0"}, "go together"},
		{map[string]any{"burst": "0"}, "go together"},
		{map[string]any{"logDays": "8"}, "logDays=8"},
		{map[string]any{"logDays": "x"}, "logDays=x"},
		{map[string]any{"reserved.message": "1.5"}, "reserved.message"},
		{map[string]any{"reserved.message": "many"}, "reserved.message"},
		{map[string]any{"reserved.mesage": "1"}, "reserved.mesage"},
		{map[string]any{"alarms": "false", "alarmEmail": "a@example.com"}, "alarmEmail"},
		{map[string]any{"alarmEmail": "nobody"}, "alarmEmail=nobody"},
		{map[string]any{"origins": "example.com"}, "origins"},
		{map[string]any{"secretparameter": "/x"}, "no such option"},
	} {
		if c.context["auth"] == nil && c.context["secretParameter"] != "" {
			c.context["auth"] = "open"
		}
		_, err := parse(c.context)
		require.ErrorContains(t, err, c.says, "%v", c.context)
	}
	_, err := parse(map[string]any{"stage": "X", "rate": "y", "logDays": "2"})
	for _, says := range []string{"stage=X", "rate=y", "logDays=2", "secretParameter"} {
		require.ErrorContains(t, err, says, "everything wrong is said at once")
	}
}
