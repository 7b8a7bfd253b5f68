using AgentMesh.Shim.Confine;

namespace AgentMesh.Workers.Tests.Fences;

public sealed class RightsTests
{
    /// <summary>The bits are those of linux/landlock.h: each ABI brings further ones.</summary>
    [Theory]
    [InlineData(1, 0x1fff, 0, 8)]
    [InlineData(2, 0x3fff, 0, 8)]
    [InlineData(3, 0x7fff, 0, 8)]
    [InlineData(4, 0x7fff, 0, 16)]
    [InlineData(5, 0xffff, 0, 16)]
    [InlineData(6, 0xffff, 3, 24)]
    [InlineData(7, 0xffff, 3, 24)]
    [InlineData(99, 0xffff, 3, 24)]
    public void All_that_a_kernel_can_refuse_is_refused(int abi, ulong rights, ulong scopes, int bytes)
    {
        Assert.Equal(rights, (ulong)Rights.Handled(abi));
        Assert.Equal(scopes, Rights.Scoped(abi));
        Assert.Equal(bytes, Rights.AttributeBytes(abi));
    }

    [Fact]
    public void A_place_gives_what_it_says_and_nothing_more()
    {
        const FileRights writes = FileRights.WriteFile | FileRights.RemoveDirectory | FileRights.RemoveFile | FileRights.MakeDirectory | FileRights.MakeFile | FileRights.MakePipe
            | FileRights.MakeLink | FileRights.Refer | FileRights.Truncate | FileRights.ControlDevice;
        const FileRights devices = FileRights.MakeCharacterDevice | FileRights.MakeBlockDevice | FileRights.MakeSocket;
        Assert.Equal(FileRights.None, Rights.Of(PlaceKind.Read) & (writes | devices | FileRights.Execute));
        Assert.Equal(FileRights.None, Rights.Of(PlaceKind.Execute) & (writes | devices));
        Assert.Equal(writes, Rights.Of(PlaceKind.Write) & (writes | devices));
        Assert.Equal(FileRights.None, Rights.Of(PlaceKind.Reports) & (devices | FileRights.MakeLink | FileRights.MakePipe | FileRights.MakeDirectory | FileRights.Execute));
        Assert.Equal(FileRights.ReadFile | FileRights.WriteFile | FileRights.ControlDevice, Rights.Of(PlaceKind.Device));
        Assert.All(Enum.GetValues<PlaceKind>(), kind => Assert.Equal(FileRights.None, Rights.OfFile(Rights.Of(kind)) & (FileRights.ReadDirectory | FileRights.MakeFile | FileRights.Refer)));
    }

    [Fact]
    public void The_file_says_what_may_be_reached_and_then_how_far_the_launcher_got()
    {
        Place[] places = [new(PlaceKind.Execute, "/usr"), new(PlaceKind.Write, "/data/a b\u00e9\nc"), new(PlaceKind.Reports, "/r"), new(PlaceKind.Device, "/dev/null"), new(PlaceKind.Read, "/proc")];
        Assert.Equal(places, ConfineFile.Read(ConfineFile.Text(places)));
        foreach (string damaged in (string[])["", "1", "2\0x/usr\0", "1\0x/usr", "1\0q/usr\0", "1\0xusr\0", "1\0x\0", "1\0\0"])
        {
            Assert.Throws<FormatException>(() => ConfineFile.Read(damaged));
        }

        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, ConfineFile.Text(places));
            Assert.Equal(new NotBegun(NotBegun.Launcher, 0, ""), ConfineFile.TryReadEnd(file));
            File.WriteAllBytes(file, ConfineFile.Failure(NotBegun.Execute, 13, "/opt/a b"));
            Assert.Equal(new NotBegun(NotBegun.Execute, 13, "/opt/a b"), ConfineFile.TryReadEnd(file));
            File.WriteAllText(file, "");
            Assert.Null(ConfineFile.TryReadEnd(file));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
