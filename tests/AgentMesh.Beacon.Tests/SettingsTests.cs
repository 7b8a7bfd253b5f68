using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Server;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Beacon.Tests;

public sealed class SettingsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly DeviceIdentity _one = DeviceIdentity.Create(new SeededEntropy(1));
    private readonly DeviceIdentity _two = DeviceIdentity.Create(new SeededEntropy(2));

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("beacon.example:14592", "beacon.example", 14592)]
    [InlineData("192.0.2.1:1", "192.0.2.1", 1)]
    [InlineData("[2001:db8::1]:65535", "2001:db8::1", 65535)]
    public void An_address_is_read_and_written_back(string place, string host, int port)
    {
        Assert.True(BeaconAddress.TryParse($"{place}#{_one.PublicKey}", out BeaconAddress? address));
        Assert.Equal(new BeaconAddress(host, port, _one.PublicKey), address);
        Assert.Equal(place, address.Name);
        Assert.Equal($"{place}#{_one.PublicKey}", address.ToString());
    }

    [Fact]
    public void Every_malformed_address_is_refused()
    {
        string key = _one.PublicKey.ToString();
        foreach (string text in new[] { "", "#", "host", "host:1", $"host#{key}", $":1#{key}", $"host:0#{key}", $"host:65536#{key}", $"host:-1#{key}", $"2001:db8::1:1#{key}", $"[]:1#{key}", "host:1#", $"host:1#{key}A", $"host:1#{key[1..]}", $"host:1#{_one.Id}", $"host:1##{key}" })
        {
            Assert.False(BeaconAddress.TryParse(text, out _), text);
        }

        string whole = $"host:1#{key}";
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.False(BeaconAddress.TryParse(whole[..length], out _));
        }
    }

    [Fact]
    public void Without_a_list_everybody_is_admitted() => Assert.True(new BeaconAdmission(null).IsAdmitted(_one.PublicKey));

    [Fact]
    public void A_rule_is_asked_each_time()
    {
        bool isOfMesh = true;
        var admission = new BeaconAdmission(null, device => isOfMesh && device == _one.Id);
        Assert.True(admission.IsAdmitted(_one.PublicKey));
        Assert.False(admission.IsAdmitted(_two.PublicKey));
        isOfMesh = false;
        Assert.False(admission.IsAdmitted(_one.Id));
    }

    [Fact]
    public void With_a_list_those_on_it_are_admitted_and_a_change_counts()
    {
        File.WriteAllText(_file, $"# devices\n\n  {_one.Id}  # laptop\n");
        var admission = new BeaconAdmission(_file);
        Assert.True(admission.IsAdmitted(_one.PublicKey));
        Assert.False(admission.IsAdmitted(_two.PublicKey));

        Change($"{_two.Id}\n", 1);
        Assert.Null(admission.Refresh());
        Assert.False(admission.IsAdmitted(_one.PublicKey));
        Assert.True(admission.IsAdmitted(_two.PublicKey));

        Change("no id\n", 2);
        Assert.Equal(BeaconErrors.AdmissionFile, admission.Refresh()!.Code);
        Assert.Null(admission.Refresh());
        Assert.True(admission.IsAdmitted(_two.PublicKey));
    }

    [Fact]
    public void A_list_that_cannot_be_read_is_an_error_at_the_start()
    {
        File.WriteAllText(_file, $"{_one.Id}\nlaptop\n");
        Assert.Contains("line 2: 'laptop'", Assert.Throws<MeshException>(() => new BeaconAdmission(_file)).Message, StringComparison.Ordinal);
        Assert.Equal(BeaconErrors.AdmissionFile, Assert.Throws<MeshException>(() => new BeaconAdmission(_file + ".not")).Code);
    }

    // Some file systems keep times no finer than this.
    private void Change(string text, int seconds)
    {
        File.WriteAllText(_file, text);
        File.SetLastWriteTimeUtc(_file, File.GetLastWriteTimeUtc(_file).AddSeconds(seconds));
    }
}
