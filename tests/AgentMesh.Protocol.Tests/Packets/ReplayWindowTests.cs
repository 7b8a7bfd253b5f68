using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Packets;

public class ReplayWindowTests
{
    [Fact]
    public void Behaves_like_a_set_of_the_numbers_in_reach()
    {
        var random = new Random(11);
        var window = new ReplayWindow();
        var accepted = new HashSet<ulong>();
        ulong greatest = 0;
        for (int i = 0; i < 200_000; i++)
        {
            ulong jump = random.Next(100) == 0 ? (ulong)random.Next(10_000) : (ulong)random.Next(8);
            ulong number = random.Next(3) == 0 ? greatest + jump : greatest - Math.Min(greatest, (ulong)random.Next(6000));
            bool inReach = accepted.Count == 0 || number > greatest || greatest - number < ReplayWindow.Size;
            bool expected = inReach && !accepted.Contains(number);
            Assert.True(window.IsNew(number) == expected, $"step {i}, number {number}, greatest {greatest}");
            if (expected)
            {
                window.Accept(number);
                accepted.Add(number);
                greatest = Math.Max(greatest, number);
            }
        }
    }

    [Fact]
    public void Is_at_least_2048_wide() => Assert.True(ReplayWindow.Size >= 2048);

    [Fact]
    public void Takes_great_numbers()
    {
        var window = new ReplayWindow();
        window.Accept(ulong.MaxValue - 1);
        Assert.False(window.IsNew(ulong.MaxValue - 1));
        Assert.False(window.IsNew(ulong.MaxValue));
        Assert.False(window.IsNew(0));
        Assert.True(window.IsNew(ulong.MaxValue - 2));
    }

    [Theory]
    [InlineData(0u, 0ul, 0ul)]
    [InlineData(5u, 3ul, 5ul)]
    [InlineData(0xffff_fff0u, 0x1_0000_0005ul, 0xffff_fff0ul)]
    [InlineData(0x0000_0002u, 0xffff_fff0ul, 0x1_0000_0002ul)]
    [InlineData(0xffff_ffffu, 0ul, 0xffff_fffful)]
    [InlineData(0x8000_0000u, 0x1_0000_0000ul, 0x1_8000_0000ul)]
    [InlineData(0x8000_0001u, 0x1_0000_0000ul, 0x8000_0001ul)]
    [InlineData(0xffff_ffffu, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(0x0000_0000u, ulong.MaxValue, 0xffff_ffff_0000_0000ul)]
    public void Truncated_number_expands_to_the_nearest(uint truncated, ulong expected, ulong full) =>
        Assert.Equal(full, PacketNumber.Expand(truncated, expected));
}
