using System.Net;
using AgentMesh.Node.Reach;

namespace AgentMesh.Node.Tests.Reach;

public sealed class CandidateListTests
{
    [Fact]
    public void Interfaces_do_not_push_out_what_others_know()
    {
        using var list = new CandidateList();
        list.Add(new Source(CandidateKind.Interface, [.. Enumerable.Range(1, 60).Select(host => $"10.0.0.{host}:4000")]));
        list.Add(new Source(CandidateKind.Observed, "203.0.113.1:5000"));
        list.Add(new Source(CandidateKind.Mapped, "203.0.113.1:6000", "203.0.113.1:5000"));

        Assert.Equal(32, list.Current.Count);
        Assert.Equal(["203.0.113.1:6000", "203.0.113.1:5000", "10.0.0.1:4000"], list.Current.Take(3).Select(address => address.ToString()));
    }

    [Fact]
    public void Addresses_of_this_host_alone_are_left_out()
    {
        using var list = new CandidateList();
        list.Add(new Source(CandidateKind.Interface, "127.0.0.1:4000", "[::1]:4000", "[fe80::1]:4000", "192.168.1.2:4000"));

        Assert.Equal("192.168.1.2:4000", Assert.Single(list.Current).ToString());
    }

    [Fact]
    public void A_source_that_changes_or_goes_is_told_of()
    {
        using var list = new CandidateList();
        int changes = 0;
        list.Changed += () => changes++;
        var source = new Source(CandidateKind.Observed);
        list.Add(source);
        Assert.Equal(0, changes); // it knew nothing

        source.Set("203.0.113.1:5000");
        list.Remove(source);
        source.Set("203.0.113.1:5001");

        Assert.Equal(2, changes);
        Assert.Empty(list.Current);
    }

    private sealed class Source(CandidateKind kind, params string[] addresses) : ICandidateSource
    {
        private string[] _addresses = addresses;

        public event Action? Changed;

        public CandidateKind Kind => kind;

        public IReadOnlyList<IPEndPoint> Current => [.. _addresses.Select(IPEndPoint.Parse)];

        public void Set(params string[] addresses)
        {
            _addresses = addresses;
            Changed?.Invoke();
        }
    }
}
