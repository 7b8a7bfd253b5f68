using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Links;

public sealed class LinkTalkTests
{
    private static readonly DeviceId A = Id('a'), B = Id('b');

    [Fact]
    public void Two_sides_that_have_said_everything_fall_silent()
    {
        var a = new Side(A, ownEntries: 3);
        var b = new Side(B, ownEntries: 5);

        Assert.InRange(FramesUntilSilence(a, b), 6, 20);
        Assert.Equal(a.Registry.Heads(), b.Registry.Heads());
    }

    [Fact]
    public void A_side_that_refuses_entries_does_not_get_them_over_and_over()
    {
        var a = new Side(A, ownEntries: 3);
        var b = new Side(B, ownEntries: 5, refuses: true);

        Assert.InRange(FramesUntilSilence(a, b), 6, 20);
        Assert.Equal(5, b.Registry.Count);
        Assert.Equal(8, a.Registry.Count);
    }

    [Fact]
    public void More_entries_than_one_frame_holds_arrive_in_several()
    {
        var a = new Side(A, ownEntries: 1000);
        var b = new Side(B, ownEntries: 0);

        FramesUntilSilence(a, b);

        Assert.Equal(1000, b.Registry.Count);
    }

    [Fact]
    public void A_long_chain_that_the_other_side_refuses_does_not_keep_others_from_it()
    {
        var a = new Side(B, ownEntries: 1000);
        a.Registry.Add(Id('c'), 3);
        var b = new Side(A, ownEntries: 0, refused: 'b');

        for (int round = 0; round < 10; round++)
        {
            // As at each refresh: both say everything.
            b.Talk.Next(everything: true).ToList().ForEach(a.Hear);
            a.Talk.Next(everything: true).ToList().ForEach(b.Hear);
        }

        Assert.Equal(3, b.Registry.Count);
    }

    [Fact]
    public void A_chain_that_was_refused_is_offered_again()
    {
        var a = new Side(B, ownEntries: 200);
        var b = new Side(A, ownEntries: 0, refused: 'b');
        for (int round = 0; round < 20; round++)
        {
            if (round == 7)
            {
                b.Registry.Refused = null;
            }

            b.Talk.Next(everything: true).ToList().ForEach(a.Hear);
            a.Talk.Next(everything: true).ToList().ForEach(b.Hear);
        }

        Assert.Equal(200, b.Registry.Count);
    }

    [Fact]
    public void A_new_entry_is_told_at_once_and_only_it()
    {
        var a = new Side(A, ownEntries: 3);
        var b = new Side(B, ownEntries: 5);
        FramesUntilSilence(a, b);

        a.Registry.Add(A, 1);
        IReadOnlyList<Frame> said = a.Talk.Next(everything: false);

        // With where the devices are: what was said of one that was not admitted yet was not heeded.
        Assert.Equal([Frame.ContentOneofCase.RegistryHeads, Frame.ContentOneofCase.RegistryEntries, Frame.ContentOneofCase.Whereabouts], said.Select(frame => frame.ContentCase));
        Assert.Single(said[1].RegistryEntries.Entries);
    }

    [Fact]
    public void What_has_changed_is_said_and_at_intervals_everything()
    {
        var a = new Side(A, ownEntries: 1);
        Assert.Equal(4, a.Talk.Next(everything: true).Count);
        Assert.Empty(a.Talk.Next(everything: false));

        a.View = new ClusterView(new ViewMember(A, 7), new HashSet<ViewMember> { new(A, 7) });

        Assert.Equal(Frame.ContentOneofCase.View, Assert.Single(a.Talk.Next(everything: false)).ContentCase);
        Assert.Equal(3, a.Talk.Next(everything: true).Count);
        a.Name = "b";
        Assert.Equal("b", Assert.Single(a.Talk.Next(everything: false)).Hello.Name);
    }

    private static int FramesUntilSilence(Side a, Side b)
    {
        int frames = 0;
        for (int turn = 0; turn < 1000; turn++)
        {
            (Side from, Side to) = turn % 2 == 0 ? (a, b) : (b, a);
            IReadOnlyList<Frame> said = from.Talk.Next(everything: turn < 2);
            frames += said.Count;
            if (said.Count == 0 && turn > 2)
            {
                return frames;
            }

            foreach (Frame frame in said)
            {
                to.Hear(frame);
            }
        }

        throw new InvalidOperationException($"still talking after {frames} frames");
    }

    private static DeviceId Id(char letter) => DeviceId.TryParse(new string(letter, 32), out DeviceId id) ? id : throw new InvalidOperationException();

    private sealed class Side
    {
        public Side(DeviceId self, int ownEntries, bool refuses = false, char? refused = null)
        {
            Registry = new CountedEntries(refuses) { Refused = refused };
            Registry.Add(self, ownEntries);
            Talk = new LinkTalk(() => new Hello { Name = Name }, Registry, () => View, () => new Whereabouts());
        }

        public CountedEntries Registry { get; }

        public LinkTalk Talk { get; }

        public ClusterView? View { get; set; }

        public string Name { get; set; } = "a";

        public void Hear(Frame frame)
        {
            if (frame.ContentCase == Frame.ContentOneofCase.RegistryHeads)
            {
                Talk.Heard(frame.RegistryHeads.Heads.ToDictionary(head => Id(head.Author[0]), head => head.Count));
            }
            else if (frame.ContentCase == Frame.ContentOneofCase.RegistryEntries)
            {
                Registry.Take(frame.RegistryEntries.Entries.Select(entry => entry.ToByteArray()));
            }
        }
    }

    /// <summary>A registry whose entries are an author's letter and a number.</summary>
    private sealed class CountedEntries(bool refuses) : IRegistryExchange
    {
        private readonly SortedDictionary<char, List<byte[]>> _chains = [];

        public event Action? Changed
        {
            add { }
            remove { }
        }

        /// <summary>Whose entries are not taken.</summary>
        public char? Refused { get; set; }

        public int Count => _chains.Values.Sum(chain => chain.Count);

        public void Add(DeviceId author, int count)
        {
            for (int i = 0; i < count; i++)
            {
                Keep(author.ToString()[0]);
            }
        }

        public IReadOnlyDictionary<DeviceId, ulong> Heads() => _chains.ToDictionary(chain => Id(chain.Key), chain => (ulong)chain.Value.Count);

        public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) =>
            [.. _chains.SelectMany(chain => chain.Value.Skip((int)heads.GetValueOrDefault(Id(chain.Key)))).Take(most)];

        public void Take(IEnumerable<byte[]> entries)
        {
            // As a registry does: of a chain only what follows.
            foreach (byte[] entry in refuses ? [] : entries.Where(entry => (char)entry[0] != Refused && entry[1] == (byte)(_chains.GetValueOrDefault((char)entry[0])?.Count ?? 0)))
            {
                Keep((char)entry[0]);
            }
        }

        private void Keep(char author)
        {
            if (!_chains.TryGetValue(author, out List<byte[]>? chain))
            {
                _chains.Add(author, chain = []);
            }

            chain.Add([(byte)author, (byte)chain.Count]);
        }
    }
}
