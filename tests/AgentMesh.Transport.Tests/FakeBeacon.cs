using AgentMesh.Transport.Pairing;

namespace AgentMesh.Transport.Tests;

/// <summary>A beacon that is a function call, and does with messages of codes what the test says: what it returns is delivered in this order.</summary>
internal sealed class FakeBeacon
{
    private readonly List<End> _ends = [];
    private readonly Lock _gate = new();

    /// <summary>Message, true when it goes to the side that made the code.</summary>
    public Func<byte[], bool, IEnumerable<byte[]>> Does { get; set; } = (message, _) => [message];

    public ICodeWay NewEnd()
    {
        var end = new End(this);
        lock (_gate)
        {
            end.Number = (uint)_ends.Count + 1;
            _ends.Add(end);
        }

        return end;
    }

    private End? Find(Func<End, bool> which)
    {
        lock (_gate)
        {
            return _ends.Find(each => which(each));
        }
    }

    private sealed class End(FakeBeacon beacon) : ICodeWay
    {
        private volatile ushort[] _offered = [];

        public uint Number { get; set; }

        public string Name => "fake:1";

        public bool IsOpen => true;

        public ICodeTaker? Taker { get; set; }

        public void Offer(IReadOnlyList<ushort> nameplates)
        {
            _offered = [.. nameplates];
            Taker?.TakeChange(this);
        }

        public CodePlaceState StateOf(ushort nameplate) =>
            !_offered.Contains(nameplate) ? CodePlaceState.Unknown
            : beacon.Find(end => end._offered.Contains(nameplate)) == this ? CodePlaceState.Open
            : CodePlaceState.Occupied;

        public void Ask(ushort nameplate, byte[] message)
        {
            if (beacon.Find(end => end._offered.Contains(nameplate)) is { } owner && owner != this)
            {
                foreach (byte[] each in beacon.Does(message, true))
                {
                    owner.Taker?.TakeQuestion(owner, Number, each);
                }
            }
        }

        public void Answer(uint caller, byte[] message)
        {
            if (beacon.Find(end => end.Number == caller) is { } asker)
            {
                foreach (byte[] each in beacon.Does(message, false))
                {
                    asker.Taker?.TakeAnswer(asker, each);
                }
            }
        }
    }
}
