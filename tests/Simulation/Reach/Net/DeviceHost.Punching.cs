using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Reach;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Relaying;

namespace Simulation.Reach.Net;

/// <content>Rounds in which both devices tell each other where they may be and ask there.</content>
internal sealed partial class DeviceHost
{
    private CandidateList? _candidates;

    /// <summary>What this device tells of where it is: by the product's own list.</summary>
    public IReadOnlyList<IPEndPoint> Candidates
    {
        get
        {
            if (_candidates is null)
            {
                _candidates = new CandidateList();
                _candidates.Add(new Source(CandidateKind.Observed, () => _observed is null ? [] : [_observed]));
                _candidates.Add(new Source(CandidateKind.Interface, () =>
                [
                    .. Places.Where(place => place.IsNone).Select(place => new IPEndPoint(place.Outside, Port)),
                    .. InterfaceOrder.Sort(Interfaces.Select(each => new InterfaceAddress(each.Name, each.Type, each.LeadsOut, new IPEndPoint(each.Address, Port)))).Take(LocalAddresses.Most),
                ]));
            }

            return _candidates.Direct;
        }
    }

    private void PlanRound(TimeSpan wait)
    {
        TimeSpan at = _roundAt = Net.Now + wait;
        After(wait, () =>
        {
            if (at == _roundAt && Peer is { IsOpen: true } peer && !IsDirect && _punching.TryGetValue(peer, out Talk? talk))
            {
                talk.Say(Punch(isAnswer: false));
                PlanRound(RoundTime + NextRound);
            }
        });
    }

    // A round as in "Direct paths" of beacon-v1.md: who asks begins when the answer is there, who answers half a round trip later.
    private void TakePunch(Connection connection)
    {
        foreach (byte[] message in _punching.GetValueOrDefault(connection)?.Read() ?? [])
        {
            bool isAnswer = message[0] == 1;
            IPEndPoint[] theirs = [.. message.Skip(1).Chunk(WireAddress.Size).Select(bytes => WireAddress.TryRead(bytes)!)];
            Known = Known is null ? null : Known with { Addresses = Known.Heard(theirs) };
            connection.Search.Probe(theirs.Where(address => !IsOwn(address)), isAnswer ? Now : Now + (connection.Path.Rtt.Smoothed / 2));
            if (!isAnswer)
            {
                _punching[connection].Say(Punch(isAnswer: true));
            }
        }
    }

    private byte[] Punch(bool isAnswer)
    {
        byte[] body = [isAnswer ? (byte)1 : (byte)0, .. Candidates.SelectMany(WireAddress.ToBytes)];
        return [(byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    private bool IsOwn(IPEndPoint address) => address.Port == Port && Interfaces.Any(each => each.Address.Equals(address.Address));

    private sealed class Source(CandidateKind kind, Func<IReadOnlyList<IPEndPoint>> current) : ICandidateSource
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public CandidateKind Kind => kind;

        public IReadOnlyList<IPEndPoint> Current => current();
    }
}
