using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Tests.Selectors;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("@gpu-box", "Device:gpu-box")]
    [InlineData("gpu-box", "Device:gpu-box")]
    [InlineData("@0", "Device:0")]
    [InlineData("@192.0.2.1:14590", "Device:192.0.2.1:14590")]
    [InlineData("@[2001:db8::1]:14590", "Device:[2001:db8::1]:14590")]
    [InlineData("@all", "Everybody:")]
    [InlineData("@any", "Device:any")]
    [InlineData("@label", "Device:label")]
    [InlineData("@label:gpu", "EachWith:gpu")]
    [InlineData("@label:zone=lab", "EachWith:zone=lab")]
    [InlineData("@any(gpu)", "OneWith:gpu")]
    [InlineData("@any:gpu", "OneWith:gpu")]
    [InlineData("@any(zone=lab-1.2)", "OneWith:zone=lab-1.2")]
    [InlineData("@a,b", "Device:a Device:b")]
    [InlineData("@a,@b,@label:x", "Device:a Device:b EachWith:x")]
    [InlineData("@any(gpu),any(cpu),all", "OneWith:gpu OneWith:cpu Everybody:")]
    public void What_can_be_written_is_read(string text, string terms) =>
        Assert.Equal(terms, string.Join(' ', Selector.Parse(text).Terms.Select(term => $"{term.Kind}:{term.Value}")));

    [Theory]
    [InlineData("@", 2, "a device or a label is expected")]
    [InlineData("@a,", 4, "a device or a label is expected")]
    [InlineData("@a,,b", 4, "a device or a label is expected")]
    [InlineData("@a,@", 5, "a device or a label is expected")]
    [InlineData("@label:", 8, "a label is expected")]
    [InlineData("@any()", 6, "a label is expected")]
    [InlineData("@any(", 6, "')' is expected")]
    [InlineData("@any(gpu", 9, "')' is expected")]
    [InlineData("@a,any(gpu", 11, "')' is expected")]
    [InlineData("@any(gpu)x", 11, "')' is expected")]
    [InlineData("@any(g pu)", 7, "' ' cannot be in a label there")]
    [InlineData("@label:zone=", 13, "a label is expected")]
    [InlineData("@label:=lab", 8, "'=' cannot be in a label there")]
    [InlineData("@label:a=b=c", 11, "'=' cannot be in a label there")]
    [InlineData("@label:(gpu)", 8, "'(' cannot be in a label there")]
    [InlineData("@a,lable:gpu", 4, "'lable:' is nothing that a selector knows")]
    [InlineData("@one(gpu)", 2, "'one(' is nothing that a selector knows")]
    public void What_cannot_be_is_refused_with_its_position(string text, int position, string what)
    {
        MeshException error = Assert.Throws<MeshException>(() => Selector.Parse(text));
        Assert.Equal(MeshErrors.SelectorSyntax, error.Code);
        Assert.StartsWith($"position {position}: {what}", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.NextStep!);
    }

    [Theory]
    [InlineData("@lable:gpu", "did you mean @label:gpu?")]
    [InlineData("@ayn(gpu)", "did you mean @any(LABEL)?")]
    public void What_was_nearly_right_is_named(string text, string next) => Assert.Equal(next, Assert.Throws<MeshException>(() => Selector.Parse(text)).NextStep);

    [Fact]
    public void A_list_has_a_bound() =>
        Assert.Equal(MeshErrors.SelectorSyntax, Assert.Throws<MeshException>(() => Selector.Parse(string.Join(',', Enumerable.Repeat("a", Selector.TermsMax + 1)))).Code);

    [Fact]
    public void A_space_after_a_comma_is_no_command() =>
        Assert.Equal(MeshErrors.SelectorSyntax, Assert.Throws<MeshException>(() => CommandLine.Parse("@a, @b calc 1")).Code);

    [Theory]
    [InlineData("gpu", "gpu", true)]
    [InlineData("GPU", "gpu", true)]
    [InlineData("zone", "zone=lab", true)]
    [InlineData("zone=lab", "Zone=Lab", true)]
    [InlineData("zone=la", "zone=lab", false)]
    [InlineData("zon", "zone=lab", false)]
    [InlineData("zone=lab", "zone", false)]
    [InlineData("gpu", "gpu-old", false)]
    public void A_label_fits_with_its_value_or_with_every_value(string wanted, string label, bool fits) => Assert.Equal(fits, DeviceLabel.Fits(wanted, label));

    [Theory]
    [InlineData("gpu", true)]
    [InlineData("a.b_c-1=2", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a=", false)]
    [InlineData("=a", false)]
    [InlineData("ä", false)]
    public void A_label_is_letters_digits_and_few_signs(string label, bool valid) => Assert.Equal(valid, DeviceLabel.IsValid(label));

    [Fact]
    public void A_label_part_has_a_bound()
    {
        Assert.True(DeviceLabel.IsValid(new string('a', 63) + "=" + new string('b', 63)));
        Assert.False(DeviceLabel.IsValid(new string('a', 64)));
    }
}
