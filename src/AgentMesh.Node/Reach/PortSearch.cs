using System.Net;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using AgentMesh.Transport.Spare;

namespace AgentMesh.Node.Reach;

/// <summary>Runs one <see cref="PortLifeSearch"/> with sockets of its own, which it closes.</summary>
/// <param name="observer">All questions go there.</param>
/// <param name="ticket">The one that is good now.</param>
/// <param name="late">For so long an answer is waited for.</param>
internal sealed class PortSearch(MeshEndpoint endpoint, IPEndPoint observer, Func<UInt128> ticket, TimeSpan late, TimeProvider time)
{
    // Beyond what the search takes at most: then they are closed also where nobody does it.
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Poker _answered = new(time);
    private readonly SpareSocket?[] _sockets = new SpareSocket?[PortLifeSearch.PortsMax];
    private readonly long _start = time.GetTimestamp();
    private readonly PortLifeSearch _search = new(TimeSpan.Zero);

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <param name="learned">Something more is known.</param>
    public async Task RunAsync(Action<PortLife> learned, CancellationToken cancellationToken)
    {
        PortLife said = PortLife.Unknown;
        try
        {
            while (true)
            {
                TimeSpan? next = Ask(out List<PortQuestion> questions, out PortLife found);
                if (found != said)
                {
                    learned(said = found);
                }

                foreach (PortQuestion question in questions)
                {
                    _ = PutAsync(question, cancellationToken);
                }

                if (next is not { } at)
                {
                    return;
                }

                await _answered.WaitAsync(at - Now, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            endpoint.Spares.Release(_sockets.OfType<SpareSocket>());
        }
    }

    private TimeSpan? Ask(out List<PortQuestion> questions, out PortLife found)
    {
        questions = [];
        lock (_gate)
        {
            while (_search.TryAsk(Now, out PortQuestion question))
            {
                questions.Add(question);
                _sockets[question.Port] ??= endpoint.Spares.TryOpen(PortLifeSearch.TimeMax + Spare);
            }

            found = _search.Result;
            SpareSocket[] done = [.. Enumerable.Range(0, _sockets.Length).Where(_search.IsDone).Select(port => _sockets[port]).OfType<SpareSocket>()];
            endpoint.Spares.Release(done);
            return _search.NextWakeUp;
        }
    }

    private async Task PutAsync(PortQuestion question, CancellationToken cancellationToken)
    {
        if (_sockets[question.Port] is not { } socket)
        {
            return; // the system has none: as if nobody answered
        }

        ObserverQuestions observers = endpoint.Observers;
        try
        {
            int? seen = question.Kind switch
            {
                PortQuestionKind.Open => (await observers.AskOnceAsync(socket, observer, ticket(), late, cancellationToken).ConfigureAwait(false))?.Port,
                PortQuestionKind.Reach => await observers.ReachesAsync(socket, question.AnswerTo, observer, ticket(), late, cancellationToken).ConfigureAwait(false) ? question.AnswerTo : null,
                _ => (await observers.AskOnceAsync(null, observer, ticket(), late, cancellationToken).ConfigureAwait(false))?.Port,
            };
            if (seen is not { } port)
            {
                return;
            }

            lock (_gate)
            {
                _search.Answered(question, port, Now);
            }

            _answered.Poke();
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }
}
