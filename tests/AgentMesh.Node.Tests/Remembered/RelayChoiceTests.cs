using AgentMesh.Node.Links;
using AgentMesh.Node.Reach;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Remembered;

public sealed class RelayChoiceTests
{
    private static readonly DeviceId[] All = [.. Enumerable.Range(0, 24).Select(_ => DeviceIdentity.Create(SystemEntropy.Instance).Id).OrderBy(id => id.ToString(), StringComparer.Ordinal)];

    [Fact]
    public void Without_memory_they_are_the_first_four_by_id() =>
        Assert.Equal(All[..4], RelayChoice.Choose([], All[..9].Reverse(), Set(All[20]), _ => []));

    [Fact]
    public void Two_devices_that_see_different_ones_meet_again_at_the_one_that_relayed_between_them()
    {
        // The one is connected to 0 to 11, the other one to 6 to 17: by id alone they have none in common.
        DeviceId between = All[9], one = All[20], other = All[21];
        GoodRelay[] known = [new(between, DateTimeOffset.UnixEpoch)];
        IReadOnlyList<DeviceId> ofOne = RelayChoice.Choose([], All[..12], Set(other), device => device == other ? known : []);
        IReadOnlyList<DeviceId> ofOther = RelayChoice.Choose([], All[6..18], Set(one), device => device == one ? known : []);

        Assert.Equal([between], ofOne.Intersect(ofOther));
        Assert.Empty(RelayChoice.Choose([], All[..12], Set(other), _ => []).Intersect(RelayChoice.Choose([], All[6..18], Set(one), _ => [])));
    }

    [Fact]
    public void One_that_relayed_before_and_comes_late_has_a_place()
    {
        GoodRelay[] known = [new(All[9], DateTimeOffset.UnixEpoch)];

        Assert.Equal([All[9]], RelayChoice.Choose(All[..4], All[..12], Set(All[20]), _ => known));
        Assert.Empty(RelayChoice.Choose([.. All[..4], All[9]], All[..12], Set(All[20]), _ => known));
    }

    [Fact]
    public void What_relayed_to_a_device_that_is_not_wanted_counts_as_any_other() =>
        Assert.Equal(All[..4], RelayChoice.Choose([], All[..12], Set(All[20]), device => device == All[20] ? [] : [new GoodRelay(All[9], DateTimeOffset.UnixEpoch)]));

    [Fact]
    public void However_much_is_remembered_it_stays_within_its_bounds_and_repeats_none()
    {
        const int seed = 491;
        var random = new Random(seed);
        for (int round = 0; round < 1_000; round++)
        {
            DeviceId[] present = Some(random), candidates = Some(random);
            var relays = All.ToDictionary(id => id, _ => (IReadOnlyList<GoodRelay>)[.. Some(random).Take(4).Select(id => new GoodRelay(id, DateTimeOffset.UnixEpoch))]);
            HashSet<DeviceId> wanted = [.. Some(random)];

            IReadOnlyList<DeviceId> chosen = RelayChoice.Choose(present, candidates, wanted, id => relays[id]);

            Assert.True(chosen.Count <= RelayChoice.OthersMax + RelayChoice.ProvenMax, $"seed {seed}, round {round}");
            Assert.True(chosen.Distinct().Count() == chosen.Count && !chosen.Intersect(present).Any() && !chosen.Except(candidates).Any(), $"seed {seed}, round {round}");
            HashSet<DeviceId> helped = [.. wanted.SelectMany(id => relays[id]).Select(relay => relay.Device)];
            Assert.True(present.Concat(chosen).Count(id => !helped.Contains(id)) <= Math.Max(RelayChoice.OthersMax, present.Count(id => !helped.Contains(id))), $"seed {seed}, round {round}");
        }
    }

    private static DeviceId[] Some(Random random) => [.. All.Where(_ => random.Next(3) == 0)];

    private static HashSet<DeviceId> Set(DeviceId device) => [device];
}
