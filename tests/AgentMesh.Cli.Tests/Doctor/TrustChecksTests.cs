using AgentMesh.Cli.Doctor;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class TrustChecksTests
{
    [Fact]
    public void A_device_that_two_keys_claim_to_speak_for_fails_with_both_and_what_to_do_on_which_device()
    {
        var phone = new DeviceView(null, "phone", "x3awq2mzk4baaaaaaaaaaaaaaaaaaaaa", "c0de 77f1 4b02", false, "forked", null, null, null, null, [])
        {
            Claims = [new KeyClaimView("0123 4567 89ab", DateTimeOffset.UnixEpoch), new KeyClaimView("fedc ba98 7654", DateTimeOffset.UnixEpoch)],
        };

        DoctorCheck check = Assert.Single(TrustChecks.Forks([phone, phone with { State = "connected" }]));

        Assert.Equal(("key of phone", "fail", "AM0368"), (check.Name, check.Result, check.Code));
        Assert.Contains("0123 4567... of ", check.Finding, StringComparison.Ordinal);
        Assert.Contains("fedc ba98... of ", check.Finding, StringComparison.Ordinal);
        Assert.StartsWith("on phone: agentmesh compromised", check.Next, StringComparison.Ordinal);
        Assert.EndsWith("agentmesh devices revoke x3awq2mzk4ba", check.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void The_own_key_in_two_hands_is_a_check_of_its_own_with_what_the_node_says()
    {
        var self = new DeviceView(0, "laptop", "x3awq2mzk4baaaaaaaaaaaaaaaaaaaaa", "c0de", true, "forked", null, null, null, null, []) { Claims = [new KeyClaimView("0123", DateTimeOffset.UnixEpoch)] };
        Assert.Empty(TrustChecks.Forks([self]));

        var status = new StatusView("laptop", self.Id, "1", "", 1, default, "", [], "", 0, [], 0, 0, 0, 0);
        Assert.Null(TrustChecks.OwnKey(status));
        DoctorCheck check = TrustChecks.OwnKey(status with { Key = new ProblemView("AM0176", "two hands", "give it up") })!;
        Assert.Equal(("key of this device", "fail", "two hands", "give it up", "AM0176"), (check.Name, check.Result, check.Finding, check.Next, check.Code));
    }

    [Fact]
    public void Those_whom_a_device_lets_in_that_may_not_are_named_with_what_to_type()
    {
        var phone = new DeviceView(null, "phone", "x3awq2mzk4baaaaaaaaaaaaaaaaaaaaa", "c0de", false, "introduced", "gpu-box", "k7qd", null, null, []);
        DoctorCheck check = Assert.Single(TrustChecks.Introductions([phone, phone with { State = "connected" }, phone with { Name = "tablet" }]));

        Assert.Equal(("introduced by gpu-box", "warn", "AM0175"), (check.Name, check.Result, check.Code));
        Assert.Contains("phone (x3awq2mzk4ba), tablet", check.Finding, StringComparison.Ordinal);
        Assert.Contains("agentmesh grant gpu-box introduce", check.Next, StringComparison.Ordinal);
        Assert.DoesNotContain("and more", check.Finding, StringComparison.Ordinal);
        Assert.Contains("and more", Assert.Single(TrustChecks.Introductions(Enumerable.Repeat(phone, 6))).Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Invitations_that_were_put_aside_are_named()
    {
        string data = Directory.CreateTempSubdirectory("am-doctor-").FullName;
        try
        {
            Assert.Null(TrustChecks.Invitations(data));
            File.WriteAllText(Path.Combine(data, TrustChecks.PutAside), "");

            DoctorCheck check = TrustChecks.Invitations(data)!;
            Assert.Equal(("warn", "AM0182"), (check.Result, check.Code));
            Assert.Contains("agentmesh invite", check.Next, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
