using System.Text;

namespace Scenarios.Harness;

public sealed class PacketCaptureTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("am-capture-").FullName, "packets");

    [Theory]
    [InlineData(0)]
    [InlineData(4 * 1024 * 1024 - 3)]
    [InlineData(9_000_000)]
    public void A_text_is_found_wherever_it_stands(int at)
    {
        byte[] all = new byte[9_000_006];
        Encoding.UTF8.GetBytes("secret").CopyTo(all, at);
        File.WriteAllBytes(_file, all);

        Assert.Equal(["secret"], new PacketCapture(_file).Find(["absent", "secret"]));
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
}
