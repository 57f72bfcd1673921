package stack_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// assetHash is the name of an asset: the hash of its content.
var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// The template changes only when somebody means it to: `make synth-update`.
func TestTemplateSnapshot(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		raw, err := json.Marshal(deployed(t, name).template.ToJSON())
		require.NoError(t, err)
		var body any
		require.NoError(t, json.Unmarshal(assetHash.ReplaceAll(raw, []byte("(hash of the asset)")), &body))
		golden(t, "template-"+name+".json", body)
	}
}
