package config

import (
	"encoding/base64"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

const secret = "0123456789abcdef0123456789abcdef"

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestDefaults(t *testing.T) {
	c, err := FromEnv(env(map[string]string{EnvTable: "t", EnvBucket: "b", EnvManagement: "https://x/dev/", EnvSecret: secret}), NeedStore|NeedSender|NeedAuth)
	require.NoError(t, err)
	require.Equal(t, Config{Table: "t", Bucket: "b", ManagementEndpoint: "https://x/dev", Secret: []byte(secret), Grace: room.DefaultGrace}, c)
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	_, err := FromEnv(env(map[string]string{EnvGrace: "1s", EnvLog: "loud", EnvS3PathStyle: "maybe"}), NeedStore|NeedSender|NeedAuth)
	for _, name := range []string{EnvTable, EnvBucket, EnvManagement, EnvSecret, EnvGrace, EnvLog, EnvS3PathStyle} {
		require.ErrorContains(t, err, name)
	}
}

// P36: a deployment is never open by omission, and never half open.
func TestOpenMustBeSaid(t *testing.T) {
	_, err := FromEnv(env(nil), NeedAuth)
	require.ErrorContains(t, err, EnvAuth+"=open")
	c, err := FromEnv(env(map[string]string{EnvAuth: "open"}), NeedAuth)
	require.NoError(t, err)
	require.True(t, c.Open)
	_, err = FromEnv(env(map[string]string{EnvAuth: "open", EnvSecret: secret}), NeedAuth)
	require.ErrorContains(t, err, "remove one")
	c, err = FromEnv(env(map[string]string{EnvSecretParameter: "/symphony/secret"}), NeedAuth)
	require.NoError(t, err)
	require.Equal(t, "/symphony/secret", c.SecretParameter)
	_, err = FromEnv(env(map[string]string{EnvSecretParameter: "/symphony/secret", EnvSecret: secret}), NeedAuth)
	require.ErrorContains(t, err, "both set")
	_, err = FromEnv(env(map[string]string{EnvSecretParameter: "/symphony/secret", EnvAuth: "open"}), NeedAuth)
	require.ErrorContains(t, err, "remove one")
	_, err = FromEnv(env(map[string]string{EnvSecret: "short"}), NeedAuth)
	require.ErrorContains(t, err, "at least 32")
}

func TestOtherSettings(t *testing.T) {
	c, err := FromEnv(env(map[string]string{EnvGrace: "5m", EnvLog: "warn", EnvS3PathStyle: "true",
		EnvSecret: "base64:" + base64.StdEncoding.EncodeToString([]byte(secret))}), NeedAuth)
	require.NoError(t, err)
	require.Equal(t, Config{Secret: []byte(secret), Grace: 5 * time.Minute, LogLevel: slog.LevelWarn, S3PathStyle: true}, c)
}
