package compose

import (
	"os"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
)

// Stream returns the handler of the table's stream. Metrics go to standard
// output, from where CloudWatch takes them; the log goes to standard error.
func Stream() (*dynamodirectory.Stream, error) {
	e, err := Start(config.NeedStore)
	if err != nil {
		return nil, err
	}
	store := dynamodirectory.New(dynamostore.NewClient(e.AWS), e.Config.Table, Clock{})
	metrics := directory.NewMetrics(os.Stdout, e.Config.Table)
	return dynamodirectory.NewStream(dynamostore.Change, directory.NewKeeper(store), metrics, Clock{}, e.Log), nil
}
